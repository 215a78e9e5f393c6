-- rows: $0, $0, $2, $1
SELECT t.country_id, t.short_name
FROM tblcountries AS t
WHERE t.short_name = %s AND CAST(CAST(t.short_name AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(%s AS BINARY) ORDER BY t.country_id ASC
 LIMIT %s, %s

-- count: $0, $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblcountries AS t WHERE t.short_name = %s AND CAST(CAST(t.short_name AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST(%s AS BINARY)
