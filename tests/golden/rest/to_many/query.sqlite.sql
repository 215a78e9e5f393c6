-- rows: $0, $1, $2
SELECT t.id, t.total
FROM tblinvoices AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblinvoices AS t WHERE EXISTS (SELECT 1 FROM tblclients AS t_1 WHERE t_1.userid = ? AND t_1.userid = t.clientid AND t.clientid != 0)

-- parent: $3
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = ?
