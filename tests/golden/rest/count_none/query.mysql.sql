-- rows: $1, $0
SELECT t.country_id
FROM tblcountries AS t ORDER BY t.country_id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblcountries AS t
