import { amountText, html, sandboxPage, type Html } from '../../sdk/index.ts';
import type { BooksState, Row } from './sandbox-books.ts';

interface Line {
  readonly Description?: string;
  readonly Amount: number;
  readonly AccountBasedExpenseLineDetail: { readonly AccountRef: { readonly name?: string } };
}

/** The double's own pages: what a bookkeeper would look at in QuickBooks. `base` is where it is mounted. */
export function booksPage(page: {
  readonly base: string;
  readonly company: string;
  readonly books: BooksState;
  readonly view: 'bills' | 'vendors';
}): string {
  const { base, company, books, view } = page;
  const title = view === 'bills' ? 'Bills' : 'Vendors';
  return sandboxPage(
    `${title} · QuickBooks Online sandbox`,
    html`<h1>${title} <small class="note">${company}, QuickBooks Online sandbox</small></h1>
      <nav><a href="${base}/ui">Bills</a><a href="${base}/ui/vendors">Vendors</a></nav>
      ${view === 'bills' ? billTable(books.entities.Bill) : vendorTable(books.entities.Vendor)}
      <p class="note">
        ${books.entities.Vendor.length} vendors, ${books.entities.Account.length} accounts. Nothing here leaves this
        computer.
      </p>`,
  );
}

function billTable(bills: readonly Row[]): Html {
  if (bills.length === 0) return html`<p>No bills yet.</p>`;
  return html`<table>
    <thead>
      <tr>
        <th>No.</th>
        <th>Vendor</th>
        <th>Date</th>
        <th>Due</th>
        <th>Lines</th>
        <th class="n">Total</th>
        <th class="n">Id</th>
      </tr>
    </thead>
    <tbody>
      ${[...bills].reverse().slice(0, 500).map(billRow)}
    </tbody>
  </table>`;
}

function billRow(bill: Row): Html {
  const lines = bill['Line'] as readonly Line[];
  const vendor = bill['VendorRef'] as { readonly name?: string };
  return html`<tr>
    <td>${bill['DocNumber']}</td>
    <td>${vendor.name}</td>
    <td>${bill['TxnDate']}</td>
    <td>${bill['DueDate']}</td>
    <td>
      ${lines.map((line) => html`<div>${line.Description ?? 'No description'} <span class="note">${line.AccountBasedExpenseLineDetail.AccountRef.name}, $${amountText(line.Amount)}</span></div>`)}
    </td>
    <td class="n">$${amountText(Number(bill['TotalAmt']))}</td>
    <td class="n">${bill.Id}</td>
  </tr>`;
}

function vendorTable(vendors: readonly Row[]): Html {
  const sorted = [...vendors].sort((a, b) => String(a['DisplayName']).localeCompare(String(b['DisplayName']), 'en'));
  return html`<table>
    <thead>
      <tr>
        <th>Name</th>
        <th>E-mail</th>
        <th></th>
        <th class="n">Id</th>
      </tr>
    </thead>
    <tbody>
      ${sorted.map(
        (vendor) =>
          html`<tr>
            <td>${vendor['DisplayName']}</td>
            <td>${(vendor['PrimaryEmailAddr'] as { readonly Address?: string } | undefined)?.Address}</td>
            <td>${vendor['Active'] === false ? 'Inactive' : ''}</td>
            <td class="n">${vendor.Id}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
