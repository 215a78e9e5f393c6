-- rows: 1, 1, $0, $2, $1
SELECT t.userid, (SELECT t_3.email
FROM tblcontacts AS t_3
WHERE t.userid = t_3.userid AND t_3.is_primary = %s ORDER BY t_3.id
 LIMIT 1) AS email
FROM tblclients AS t LEFT OUTER JOIN tblcontacts AS t_1 ON t_1.id = (SELECT t_2.id
FROM tblcontacts AS t_2
WHERE t.userid = t_2.userid AND t_2.is_primary = %s ORDER BY t_2.id
 LIMIT 1)
WHERE t_1.is_primary = %s ORDER BY t.userid ASC
 LIMIT %s, %s

-- count: 1, $0
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblclients AS t LEFT OUTER JOIN tblcontacts AS t_1 ON t_1.id = (SELECT t_2.id FROM tblcontacts AS t_2 WHERE t.userid = t_2.userid AND t_2.is_primary = %s ORDER BY t_2.id  LIMIT 1) WHERE t_1.is_primary = %s
