-- rows: $0, 1, $1
SELECT t.id, t.email, t.userid, t.is_primary, t.firstname, t.lastname, t.phonenumber, t.title, t.datecreated, t.email_verified_at, t.last_ip, t.last_login, t.active, t.profile_image, t.direction, t.invoice_emails, t.estimate_emails, t.credit_note_emails, t.contract_emails, t.task_emails, t.project_emails, t.ticket_emails
FROM tblcontacts AS t
WHERE EXISTS (SELECT 1
FROM tblclients AS t_1
WHERE t_1.userid = %s AND t.id = (SELECT t_1_1.id
FROM tblcontacts AS t_1_1
WHERE t_1.userid = t_1_1.userid AND t_1_1.is_primary = %s ORDER BY t_1_1.id
 LIMIT 1)) ORDER BY t.id ASC
 LIMIT %s

-- parent: $2
SELECT t.userid
FROM tblclients AS t
WHERE t.userid = %s
