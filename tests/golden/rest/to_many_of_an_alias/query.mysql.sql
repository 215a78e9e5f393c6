-- rows: $0, $2, $1
SELECT t.id, t.email
FROM tblcontacts AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t_1.userid = t.userid) ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblcontacts AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = %s AND t_1.userid = t.userid)

-- parent: $3
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s
