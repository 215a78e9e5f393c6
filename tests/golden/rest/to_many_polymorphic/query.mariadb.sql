-- rows: $0, 'customer', $2, $1
SELECT t.id, t.rel_id, t.rel_type
FROM tblnotes AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t_1.userid = t.rel_id AND t.rel_type = %s) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0, 'customer'
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblnotes AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.userid = t.rel_id AND t.rel_type = %s)

-- parent: $3
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s
