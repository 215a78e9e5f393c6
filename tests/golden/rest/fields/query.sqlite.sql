-- rows: $0, $1
SELECT t.id, t.total, t.duedate
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
