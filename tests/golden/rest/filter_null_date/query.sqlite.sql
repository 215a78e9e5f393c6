-- rows: $0, $1
SELECT t.id, t.duedate
FROM tblinvoices AS t
WHERE t.duedate IS NULL ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.duedate IS NULL
