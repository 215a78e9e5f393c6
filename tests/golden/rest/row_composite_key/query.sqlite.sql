-- rows: $0, $1
SELECT t.customer_id, t.staff_id, t.date_assigned
FROM tblcustomer_admins AS t
WHERE t.customer_id = ? AND t.staff_id = ?
