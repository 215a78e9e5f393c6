-- rows: $0, $2, $1
SELECT t.id, t.dateadded
FROM tblleads AS t
WHERE t.dateadded >= %s ORDER BY t.id ASC
 LIMIT %s, %s

-- count: $0
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblleads AS t WHERE t.dateadded >= %s
