-- rows: $0, $1, $2, $3, $4
SELECT t.id, t.status, t.total, t.duedate
FROM tblinvoices AS t
WHERE t.status = ? OR t.total >= ? AND t.duedate >= ? ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1, $2
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = ? OR t.total >= ? AND t.duedate >= ?
