-- rows: $0, $1
SELECT t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t

-- client of 1 parent: ^0, ^1, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?)
 LIMIT ? OFFSET ?

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?

-- client.contracts of 1 parent: ^0, ^1, 0
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- client.contracts of 4 parents: ^0, ^1, ^2, ^3, $2, ^4, 0
SELECT c.subject, w.r0
FROM tblcontracts AS c JOIN (SELECT t.id AS k0, t.client AS r0, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (?, ?, ?, ?)) AS w ON c.id = w.k0
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?

-- payments of 1 parent: '', '*[^0-9]*', '', '*[^0-9]*', ^0, ^1, 0
SELECT t.amount, t.paymentmode, t.id, CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CAST(t.paymentmode AS INTEGER) END ELSE NULL END AS anon_1, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- payments of 4 parents: '', '*[^0-9]*', '', '*[^0-9]*', ^0, ^1, ^2, ^3, $3, ^4, 0
SELECT c.amount, c.paymentmode, c.id, CASE WHEN (c.paymentmode != ? AND NOT (c.paymentmode GLOB ?)) THEN CASE WHEN (c.paymentmode != ? AND NOT (c.paymentmode GLOB ?)) THEN CAST(c.paymentmode AS INTEGER) END ELSE NULL END AS anon_1, w.r0
FROM tblinvoicepaymentrecords AS c JOIN (SELECT t.id AS k0, t.invoiceid AS r0, row_number() OVER (PARTITION BY t.invoiceid ORDER BY t.id ASC) AS n
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (?, ?, ?, ?)) AS w ON c.id = w.k0
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?

-- payments.payment_mode of 1 parent: ^0, ^1, 0
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (?)
 LIMIT ? OFFSET ?

-- payments.payment_mode of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (?, ?, ?, ?)
 LIMIT ? OFFSET ?
