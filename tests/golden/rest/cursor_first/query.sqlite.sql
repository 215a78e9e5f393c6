-- rows: $0, $1
SELECT t.id, t.total
FROM tblinvoices AS t ORDER BY t.total DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
