-- rows: $2, $2, $2, $3, $0, $1
SELECT t.id, t.total
FROM tblinvoices AS t
WHERE t.total <= ? AND (t.total < ? OR t.total = ? AND t.id > ?) ORDER BY t.total DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
