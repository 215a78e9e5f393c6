-- # invoices_connection
-- rows: $0, $1, $2
SELECT t.id, t.date
FROM tblinvoices AS t
WHERE t.status = ? ORDER BY t.date DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE t.status = ?
