-- rows: $0, $1, $2
SELECT t.userid
FROM tblclients AS t
WHERE NOT (EXISTS (SELECT 1
FROM tblinvoices AS t_1
WHERE t.userid = t_1.clientid AND t_1.clientid != 0 AND coalesce(t_1.status = ?, 0) = 0)) ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblclients AS t WHERE NOT (EXISTS (SELECT 1 FROM tblinvoices AS t_1 WHERE t.userid = t_1.clientid AND t_1.clientid != 0 AND coalesce(t_1.status = ?, 0) = 0))
