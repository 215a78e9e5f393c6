-- rows: $0, 'customer', $1, $2
SELECT t.id, t.rel_id, t.rel_type
FROM tblnotes AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.rel_id AND t.rel_type = ?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0, 'customer'
SELECT count(*) AS count_1 FROM tblnotes AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = ? AND t_1.userid = t.rel_id AND t.rel_type = ?)

-- parent: $3
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = ?
