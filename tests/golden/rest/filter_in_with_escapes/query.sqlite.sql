-- rows: $0, $1, $2, $3
SELECT t.userid
FROM tblclients AS t
WHERE (t.company COLLATE gateway_ci) IN (?, ?) ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count: $0, $1
SELECT count(*) AS count_1 FROM tblclients AS t WHERE (t.company COLLATE gateway_ci) IN (?, ?)
