-- rows: $0, $1, $3, $2
SELECT t.userid
FROM tblclients AS t
WHERE t.company IN (%s, %s) ORDER BY t.userid ASC
 LIMIT %s, %s

-- count: $0, $1
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblclients AS t WHERE t.company IN (%s, %s)
