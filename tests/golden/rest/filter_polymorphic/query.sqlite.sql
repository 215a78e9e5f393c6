-- rows: 'invoice', $0, $1, $2
SELECT t.id
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblitemable AS t_1
WHERE t.id = t_1.rel_id AND t_1.rel_type = ? AND t_1.qty > ?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: 'invoice', $0
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblitemable AS t_1 WHERE t.id = t_1.rel_id AND t_1.rel_type = ? AND t_1.qty > ?)
