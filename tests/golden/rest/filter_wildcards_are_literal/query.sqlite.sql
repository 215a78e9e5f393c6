-- rows: $0, $1, $2
SELECT t.userid
FROM tblclients AS t
WHERE (t.company COLLATE gateway_ci) LIKE ? ESCAPE '|' ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count: $0
SELECT count(*) AS count_1 FROM tblclients AS t WHERE (t.company COLLATE gateway_ci) LIKE ? ESCAPE '|'
