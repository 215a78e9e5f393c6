-- rows: $1, $0
SELECT t.id, t.email
FROM tblleads AS t
WHERE t.email IS NOT NULL ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblleads AS t WHERE t.email IS NOT NULL
