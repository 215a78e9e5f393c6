-- rows: $0, $1, $2, $3, $4
SELECT t.id, t.status
FROM tblinvoices AS t
WHERE (t.status NOT IN (?, ?, ?)) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1, $2
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE (t.status NOT IN (?, ?, ?))
