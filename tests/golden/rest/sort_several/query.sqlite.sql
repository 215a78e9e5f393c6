-- rows: $0, $1
SELECT t.id, t.currency, t.status, t.total
FROM tblinvoices AS t ORDER BY t.currency DESC, t.status ASC, t.total ASC, t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
