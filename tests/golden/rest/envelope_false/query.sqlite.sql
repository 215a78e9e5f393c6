-- rows: $0, $1
SELECT t.company, t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblclients AS t
