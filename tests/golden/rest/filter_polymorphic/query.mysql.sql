-- rows: 'invoice', $0, $2, $1
SELECT t.id
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblitemable AS t_1
WHERE t.id = t_1.rel_id AND t_1.rel_type = %s AND t_1.qty > %s) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: 'invoice', $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblitemable AS t_1 WHERE t.id = t_1.rel_id AND t_1.rel_type = %s AND t_1.qty > %s)
