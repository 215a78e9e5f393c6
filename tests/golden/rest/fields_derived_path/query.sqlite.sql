-- rows: 1, 0, '', ' ', '', 1, 0, $0, $1
SELECT t.userid, t.company, (SELECT t_1.email
FROM tblcontacts AS t_1
WHERE t.userid = t_1.userid AND t_1.is_primary = ? ORDER BY t_1.id
 LIMIT 1 OFFSET ?) AS email, (SELECT trim((coalesce(t_2.firstname, ?) || ?) || coalesce(t_2.lastname, ?)) AS trim_1
FROM tblcontacts AS t_2
WHERE t.userid = t_2.userid AND t_2.is_primary = ? ORDER BY t_2.id
 LIMIT 1 OFFSET ?) AS contact_name
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblclients AS t
