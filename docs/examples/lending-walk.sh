#!/usr/bin/env bash
# A loan from the list of products to the payoff, as its borrower and as a loan officer walk it.
#   npm start                                  # in another terminal: it writes data/sandbox.json
#   bash docs/examples/lending-walk.sh
# Or with tokens of one's own: URL=… CUSTOMER=… OFFICER=… bash docs/examples/lending-walk.sh
# Needs curl and Node (for JSON). tests/http/lending-walk.test.ts runs it.
set -euo pipefail

sandbox() { # of the tenant that lends
  SANDBOX=${SANDBOX:-data/sandbox.json} node -p "
    const file = JSON.parse(fs.readFileSync(process.env.SANDBOX, 'utf8'));
    const tenant = file.tenants.find((one) => one.tenant === 'finlend'); $1"
}
URL=${URL:-$(sandbox 'file.url')}
CUSTOMER=${CUSTOMER:-$(sandbox 'tenant.tokens.CUSTOMER')}
OFFICER=${OFFICER:-$(sandbox 'tenant.tokens.MANAGER')}
SELF=api/v1/services/user
ADMIN=api/v6/services/admin

send() { # token method path [body]: prints the answer, whatever it is; fails where it is a failure
  curl -sS --fail-with-body -X "$2" "$URL/$3" -H "X-Auth-Token: $1" -H 'Content-Type: application/json' \
    -H "Idempotency-Key: walk-$$-$RANDOM$RANDOM" ${4:+-d "$4"}
}
call() { # the same, but a failure ends the walk
  local answer
  if ! answer=$(send "$@"); then
    printf 'refused: %s\n' "$answer" >&2
    return 1
  fi
  printf %s "$answer"
}
customer() { call "$CUSTOMER" "$@"; }
officer() { call "$OFFICER" "$@"; }
member() { node -p "JSON.parse(fs.readFileSync(0, 'utf8'))$1"; }
step() { printf '\n%s\n' "$1"; }

step '1. The customer looks at what is lent'
PROFILE=$(customer GET api/v6/services/usermanagement/profile)
CUSTOMER_ID=$(printf %s "$PROFILE" | member .data.id)
NAME="$(printf %s "$PROFILE" | member .data.firstName) $(printf %s "$PROFILE" | member .data.lastName)"
DOB=$(printf %s "$PROFILE" | member '.data.dob ?? "1990-04-01"')
PRODUCTS=$(customer GET "$SELF/list-products")
PRODUCT=$(printf %s "$PRODUCTS" | member '.data.find(({ name }) => name === "Salary advance").id')
printf '   %s: %s\n' "$NAME" "$(printf %s "$PRODUCTS" | member '.data.map(({ name, interestRate }) => `${name} at ${interestRate} %`).join(", ")')"
QUESTIONS=$(customer GET "$SELF/loan-eligibility-questions/$PRODUCT")
printf '   he will be asked: %s\n' "$(printf %s "$QUESTIONS" | member '.data.map(({ question }) => question).join(" ")')"

step '2. What 50,000 for a year would cost'
APR=$(customer POST "$SELF/calculate-apr" '{ "loanAmount": 50000, "interestRate": 12.5, "tenure": 12, "loanProductId": "'"$PRODUCT"'" }')
printf '   APR %s %%, %s a month, %s in all\n' "$(printf %s "$APR" | member .data.apr)" \
  "$(printf %s "$APR" | member .data.monthlyPayment)" "$(printf %s "$APR" | member .data.totalAmountPayable)"

step '3. He applies'
REQUESTED=$(customer POST api/v6/services/user/request-loan '{
  "loanProductId": "'"$PRODUCT"'", "currencyCode": "NGN", "loanAmount": 50000,
  "loanDuration": 12, "durationCounter": 12, "loanApplicationStatusEnum": "REQUESTED",
  "dateOfBirth": "'"$DOB"'", "employmentStatus": "EMPLOYED", "monthlyIncome": 200000, "bvn": "22212345678",
  "loanRepaymentMethodEnum": "BANK_TRANSFER",
  "eligibilityAnswers": [{ "questionId": "purpose", "answer": "SCHOOL" }]
}')
LOAN=$(printf %s "$REQUESTED" | member .data.loanApplicationId)
CODE=$(printf %s "$REQUESTED" | member .data.loanCode)
printf '   application %s is %s\n' "$CODE" "$(printf %s "$REQUESTED" | member .data.loanApplicationStatusEnum)"

step '4. The officer finds it in the review queue, and looks at why it passed'
QUEUE=$(officer GET "$ADMIN/loan-applications?status=REQUESTED&sort=requestedAt&order=asc&size=100")
printf '   in the queue: %s\n' "$(printf %s "$QUEUE" | member ".data.loanApplications.some(({ loanCode }) => loanCode === '$CODE')")"
APPLICATION=$(officer GET "$ADMIN/loan-application/$LOAN")
printf '   score %s, risk %s; %s\n' "$(printf %s "$APPLICATION" | member .data.scoring.score)" \
  "$(printf %s "$APPLICATION" | member .data.scoring.risk)" \
  "$(printf %s "$APPLICATION" | member '.data.scoring.eligibility.map(({ name, met }) => `${name}: ${met}`).join(", ")')"

step '5. He approves less than was asked for, and sends the offer'
officer POST "$ADMIN/loan-application/$LOAN/approve" '{ "amount": 40000, "tenure": 10, "reason": "within a third of the income" }' > /dev/null
officer POST "$ADMIN/loan-application/$LOAN/send-offer" '{}' | member .data.loanDetails.loanApplicationStatusEnum | sed 's/^/   /'

step '6. The customer reads the offer with its schedule, accepts it, and accepts the terms'
OFFER=$(customer GET "$SELF/get-loan-offer")
printf '   %s\n' "$(printf %s "$OFFER" | member ".data.filter(({ loanApplicationId }) => loanApplicationId === '$LOAN').map((offer) => \`\${offer.offeredAmount} of \${offer.requestedLoanAmount}, APR \${offer.apr} %, \${offer.schedule.length} instalments of \${offer.monthlyPayment}\`)[0]")"
customer PUT "$SELF/accept-loan-offer/$LOAN/accept" | member .data.loanStatus | sed 's/^/   /'
ORGANISATION=$(printf %s "$REQUESTED" | member .data.organisation)
TERMS=$(customer GET "$SELF/get-loan-terms/$ORGANISATION")
printf '   terms, version %s\n' "$(printf %s "$TERMS" | member .data.version)"
customer PUT "$SELF/accept-terms-and-conditions/$LOAN" | member .message | sed 's/^/   /'

step '7. The money is in his loan wallet; he withdraws some of it to his bank'
ACCOUNTS=$(customer GET "$SELF/list-customer-bank-accounts/$CUSTOMER_ID")
ACCOUNT=$(printf %s "$ACCOUNTS" | member '.data.find(({ accountNumber }) => accountNumber === "0123456785")?.accountId ?? ""')
if [ -z "$ACCOUNT" ]; then
  ACCOUNT=$(customer POST "$SELF/create-bank-account" '{
    "customerId": "'"$CUSTOMER_ID"'", "bankCode": "058", "bankName": "Guaranty Trust Bank",
    "accountNumber": "0123456785", "accountName": "'"$NAME"'", "accountType": "SAVINGS", "isDefault": true
  }' | member .data.accountId)
fi
TRANSFER=$(customer POST "$SELF/transfer-funds-to-bank" '{
  "customerId": "'"$CUSTOMER_ID"'", "amount": 25000, "description": "School fees",
  "bankAccountId": "'"$ACCOUNT"'"
}')
REFERENCE=$(printf %s "$TRANSFER" | member .data.transactionReference)
STATUS=$(customer GET "$SELF/check-transfer-status/$REFERENCE" | member .data.transferStatus)
printf '   %s is %s\n' "$REFERENCE" "$STATUS"

step '8. He sees what is due and where to pay, transfers an instalment, and reports it'
DUE=$(customer GET "$SELF/pending-repayments/$CUSTOMER_ID?size=100")
AMOUNT=$(printf %s "$DUE" | member ".data.find(({ loanApplicationId }) => loanApplicationId === '$LOAN').amountDue")
INSTRUCTIONS=$(customer GET "$SELF/repayment-instructions/$LOAN")
REPAID=$(customer POST "$SELF/repay-loan/$CUSTOMER_ID" '{
  "repaymentAmount": '"$AMOUNT"', "customerId": "'"$CUSTOMER_ID"'", "accountId": "'"$LOAN"'",
  "repaymentReference": "'"$(printf %s "$INSTRUCTIONS" | member .data.paymentReference)"'"
}')
printf '   %s of %s is %s\n' "$AMOUNT" "$CODE" "$(printf %s "$REPAID" | member .data.verificationStatus)"

step '9. The officer finds the transfer on the bank statement, and verifies it'
REPAYMENT=$(printf %s "$REPAID" | member .data.id)
VERIFIED=$(officer POST "$ADMIN/repayments/$REPAYMENT/verify" '{}')
printf '   %s; principal %s\n' "$(printf %s "$VERIFIED" | member .data.verificationStatus)" \
  "$(printf %s "$VERIFIED" | member .data.allocation.principalAmount)"
DETAILS=$(customer GET "$SELF/loan-details-with-payment-history/$LOAN")
printf '   %s of %s instalments paid, %s owed\n' "$(printf %s "$DETAILS" | member .data.installmentsPaid)" \
  "$(printf %s "$DETAILS" | member .data.totalInstallments)" "$(printf %s "$DETAILS" | member .data.totalBalance)"

step '10. He pays off the rest: only the right amount will do'
QUOTE=$(customer GET "$SELF/payoff-quote/$LOAN" | member .data.payoffAmount)
WRONG=$(send "$CUSTOMER" POST "$SELF/payoff-loan" '{ "loanApplicationId": "'"$LOAN"'", "paymentMethod": "BANK_TRANSFER", "payoffAmount": 1 }' 2>/dev/null || true)
printf '   1 is refused: the right figure is %s\n' "$(printf %s "$WRONG" | member '.errors[0].details.payoffAmount')"
[ "$(printf %s "$WRONG" | member .responseCode)" = 422 ]
PAYOFF=$(customer POST "$SELF/payoff-loan" '{ "loanApplicationId": "'"$LOAN"'", "paymentMethod": "BANK_TRANSFER", "payoffAmount": '"$QUOTE"' }')
officer POST "$ADMIN/repayments/$(printf %s "$PAYOFF" | member .data.repaymentId)/verify" '{}' > /dev/null
LETTER=$(customer GET "$SELF/payoff-letter/$LOAN")
printf '   %s paid; the loan is %s\n' "$QUOTE" "$(printf %s "$LETTER" | member .data.loanStatus)"
[ "$(printf %s "$LETTER" | member .data.loanStatus)" = PAID_OFF ]
TOTAL=$(customer GET "$SELF/get-total/$CUSTOMER_ID")
printf '   he owes %s on %s running loans\n' "$(printf %s "$TOTAL" | member .data.totalOutstanding)" \
  "$(printf %s "$TOTAL" | member .data.activeLoans)"
printf '\nwalked %s\n' "$CODE"
