-- rows: $0, $1, $2
SELECT t.country_id, t.short_name
FROM tblcountries AS t
WHERE (t.short_name COLLATE gateway_ci) LIKE ? ESCAPE '|' ORDER BY t.country_id ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblcountries AS t WHERE (t.short_name COLLATE gateway_ci) LIKE ? ESCAPE '|'
