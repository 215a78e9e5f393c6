-- # invoices_by_key
-- rows: $0
SELECT t.id
FROM tblinvoices AS t
WHERE t.id = %s
-- # clients
-- rows: $1, $0
SELECT t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SELECT /*+ MAX_EXECUTION_TIME(250) */ count(*) AS count_1 FROM tblclients AS t
