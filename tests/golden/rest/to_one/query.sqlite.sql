-- rows: $0
SELECT t.company, t.userid, t.vat, t.phonenumber, t.country, t.city, t.zip, t.state, t.address, t.website, t.datecreated, t.active, t.leadid, t.billing_street, t.billing_city, t.billing_state, t.billing_zip, t.billing_country, t.shipping_street, t.shipping_city, t.shipping_state, t.shipping_zip, t.shipping_country, t.longitude, t.latitude, t.default_language, t.default_currency, t.show_primary_contact, t.registration_confirmed, t.addedfrom
FROM tblclients AS t
WHERE EXISTS (SELECT 1
FROM tblinvoices AS t_1
WHERE t_1.id = ? AND t_1.clientid = t.userid AND t_1.clientid != 0)

-- parent: $1
SELECT t.id
FROM tblinvoices AS t
WHERE t.id = ?
