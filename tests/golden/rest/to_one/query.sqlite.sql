-- rows: $0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE EXISTS (SELECT 1
FROM tblinvoices AS t_1
WHERE t_1.id = ? AND t_1.clientid = t.userid AND t_1.clientid != 0)

-- parent: $1
SELECT t.id
FROM tblinvoices AS t
WHERE t.id = ?
