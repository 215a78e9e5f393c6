-- rows: $1, $0
SELECT t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT %s, %s

-- count
SET STATEMENT max_statement_time=0.250 FOR SELECT count(*) AS count_1 FROM tblinvoices AS t

-- client of 1 parent: ^0, ^1
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s)
 LIMIT %s

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (%s, %s, %s, %s)
 LIMIT %s

-- client.contracts of 1 parent: ^0, ^1
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- client.contracts of 4 parents: ^0, ^1, ^2, ^3, $2, ^4
SELECT c.subject, w.r0
FROM tblcontracts AS c INNER JOIN (SELECT t.id AS k0, t.client AS r0, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- payments of 1 parent: '^[0-9]{1,18}$', '^[0-9]{1,18}$', ^0, ^1
SELECT t.amount, t.paymentmode, t.id, CASE WHEN (t.paymentmode REGEXP %s) THEN CASE WHEN (t.paymentmode REGEXP %s) THEN CAST(t.paymentmode AS SIGNED INTEGER) END ELSE NULL END AS anon_1, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s) ORDER BY t.id ASC
 LIMIT %s

-- payments of 4 parents: '^[0-9]{1,18}$', '^[0-9]{1,18}$', ^0, ^1, ^2, ^3, $3, ^4
SELECT c.amount, c.paymentmode, c.id, CASE WHEN (c.paymentmode REGEXP %s) THEN CASE WHEN (c.paymentmode REGEXP %s) THEN CAST(c.paymentmode AS SIGNED INTEGER) END ELSE NULL END AS anon_1, w.r0
FROM tblinvoicepaymentrecords AS c INNER JOIN (SELECT t.id AS k0, t.invoiceid AS r0, row_number() OVER (PARTITION BY t.invoiceid ORDER BY t.id ASC) AS n
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (%s, %s, %s, %s)) AS w ON c.id = w.k0
WHERE w.n <= %s ORDER BY w.n
 LIMIT %s

-- payments.payment_mode of 1 parent: ^0, ^1
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (%s)
 LIMIT %s

-- payments.payment_mode of 4 parents: ^0, ^1, ^2, ^3, ^4
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (%s, %s, %s, %s)
 LIMIT %s
