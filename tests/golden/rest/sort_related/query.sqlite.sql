-- rows: $0, $1
SELECT t.id, t.clientid, t.total, t_1.company COLLATE gateway_ci AS anon_1
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0 ORDER BY t_1.company COLLATE gateway_ci ASC, t.total DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
