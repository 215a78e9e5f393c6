-- rows: $0, $1, $2, $3
SELECT t.id, t.status, t.total
FROM tblinvoices AS t
WHERE t.status = ? OR t.total >= ? ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = ? OR t.total >= ?
