-- rows: $0, 1, $1
SELECT t.id, t.email
FROM tblcontacts AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t_1.userid = t.userid AND t.is_primary = %s) ORDER BY t.id ASC
 LIMIT %s

-- parent: $2
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s
