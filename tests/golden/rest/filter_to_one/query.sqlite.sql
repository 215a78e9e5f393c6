-- rows: $0, $1, $2
SELECT t.id, t.clientid
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0
WHERE t_1.country = ? ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 WHERE t_1.country = ?
