-- rows: $2, $2, $2, $3, $2, $3, $4, $0, $1
SELECT t.id, t.duedate, t_1.company COLLATE gateway_ci AS anon_1
FROM tblinvoices AS t LEFT OUTER JOIN tblclients AS t_1 ON t.clientid = t_1.userid AND t.clientid != 0
WHERE (t_1.company COLLATE gateway_ci) >= ? AND ((t_1.company COLLATE gateway_ci) > ? OR (t_1.company COLLATE gateway_ci) = ? AND (t.duedate < ? OR t.duedate IS NULL) OR (t_1.company COLLATE gateway_ci) = ? AND t.duedate = ? AND t.id > ?) ORDER BY t_1.company COLLATE gateway_ci ASC, t.duedate DESC, t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t
