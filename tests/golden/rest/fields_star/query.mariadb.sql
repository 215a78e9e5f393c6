-- rows: 1, $1, $0
SELECT t.userid, t.company, t.vat, t.phonenumber, t.country, t.city, t.zip, t.state, t.address, t.website, t.datecreated, t.active, t.leadid, t.billing_street, t.billing_city, t.billing_state, t.billing_zip, t.billing_country, t.shipping_street, t.shipping_city, t.shipping_state, t.shipping_zip, t.shipping_country, t.longitude, t.latitude, t.default_language, t.default_currency, t.show_primary_contact, t.registration_confirmed, t.addedfrom, (SELECT t_1.email
FROM tblcontacts AS t_1
WHERE t.userid = t_1.userid AND t_1.is_primary = %s ORDER BY t_1.id
 LIMIT 1) AS email
FROM tblclients AS t ORDER BY t.userid ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblclients AS t
