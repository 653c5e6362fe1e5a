-- What erasing is to come to, written by hand and with no regard to how the program goes about it.
CREATE TEMP TABLE due AS SELECT CustomerId AS id FROM Customer
  WHERE NOT EXISTS (SELECT 1 FROM Invoice WHERE Invoice.CustomerId = Customer.CustomerId AND InvoiceDate >= '2023-11-21');
CREATE TEMP TABLE kept AS SELECT DISTINCT CustomerId AS id FROM Invoice;

DELETE FROM Customer WHERE CustomerId IN (SELECT id FROM due) AND CustomerId NOT IN (SELECT id FROM kept);
UPDATE Customer SET FirstName = 'erased', LastName = 'erased', Company = NULL, Address = NULL, City = NULL, State = NULL,
  Country = NULL, PostalCode = NULL, Phone = NULL, Fax = NULL, Email = 'erased-' || CustomerId || '@invalid'
  WHERE CustomerId IN (SELECT id FROM due);
UPDATE Invoice SET BillingAddress = NULL, BillingCity = NULL, BillingState = NULL, BillingCountry = NULL, BillingPostalCode = NULL
  WHERE CustomerId IN (SELECT id FROM due);
