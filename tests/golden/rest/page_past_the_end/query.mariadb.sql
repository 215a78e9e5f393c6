-- rows: $1, $0
SELECT t.country_id
FROM tblcountries AS t ORDER BY t.country_id ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblcountries AS t
