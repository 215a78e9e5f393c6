-- rows: $0
SELECT t.userid, t.company, t.vat, t.phonenumber, t.country, t.city, t.zip, t.state, t.address, t.website, t.datecreated, t.active, t.leadid, t.billing_street, t.billing_city, t.billing_state, t.billing_zip, t.billing_country, t.shipping_street, t.shipping_city, t.shipping_state, t.shipping_zip, t.shipping_country, t.longitude, t.latitude, t.default_language, t.default_currency, t.show_primary_contact, t.registration_confirmed, t.addedfrom
FROM tblclients AS t
WHERE t.userid = %s

-- contracts of 1 parent: ^0, ^1
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- contracts of 4 parents: ^0, ^1, ^2, ^3, $1, ^4
SELECT c.subject, w.r0
FROM tblcontracts AS c INNER JOIN (SELECT t.id AS k0, t.client AS r0, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- contacts of 1 parent: ^0, ^1
SELECT t.email, t.userid
FROM tblcontacts AS t
WHERE t.userid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- contacts of 4 parents: ^0, ^1, ^2, ^3, $2, ^4
SELECT c.email, w.r0
FROM tblcontacts AS c INNER JOIN (SELECT t.id AS k0, t.userid AS r0, row_number() OVER (PARTITION BY t.userid ORDER BY t.id ASC) AS n
FROM tblcontacts AS t
WHERE t.userid IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s
