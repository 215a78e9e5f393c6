-- rows: $0, $1
SELECT t.country_id
FROM tblcountries AS t ORDER BY t.country_id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblcountries AS t
