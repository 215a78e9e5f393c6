-- rows: $0, $1, $2, $3, $4, $5
SELECT t.id, t.status, t.sale_agent, t.total
FROM tblinvoices AS t
WHERE (t.status = ? OR t.status = ?) AND (t.sale_agent = ? OR t.total < ?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, $1, $2, $3
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE (t.status = ? OR t.status = ?) AND (t.sale_agent = ? OR t.total < ?)
