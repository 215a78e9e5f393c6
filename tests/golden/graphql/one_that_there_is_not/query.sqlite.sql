-- # invoices_by_key
-- rows: $0
SELECT t.id
FROM tblinvoices AS t
WHERE t.id = ?
-- # clients
-- rows: $0, $1
SELECT t.userid
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblclients AS t
