-- rows: $0, $1, $2
SELECT t.id, t.status, t.duedate
FROM tblinvoices AS t
WHERE t.status != ? AND t.duedate IS NOT NULL ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status != ? AND t.duedate IS NOT NULL
