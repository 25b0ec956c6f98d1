"""Who may call what, written by hand: the status that each kind of caller gets.

A method that isn't listed for a path is 405, to those who get 401 for its other methods 401. ``{debt}`` and the like stand for
the id of a row that was made for the call. The body is what follows the statuses, else ``{}``.
"""

API = """
                                          nobody debtor agent supervisor auditor
GET       /                                  200    200   200        200     200
GET       /health                            200    200   200        200     200
GET       /metrics                           404    404   404        404     404
GET       /schema                            200    200   200        200     200
GET       /docs                              200    200   200        200     200
GET       /demo/outbox                       404    404   404        404     404
GET       /track/open/x.gif                  200    200   200        200     200
POST      /callbacks/email/mailgun/tracking  403    403   403        403     403
POST      /callbacks/email/mailgun/inbound   403    403   403        403     403
POST      /callbacks/twilio/status           403    403   403        403     403
POST      /callbacks/twilio/inbound          403    403   403        403     403
POST      /callbacks/twilio/answer           403    403   403        403     403
POST      /callbacks/twilio/key              403    403   403        403     403
POST      /providers/stripe/events           403    403   403        403     403
GET,POST  /demo/payments/{debt}              404    404   404        404     404
GET,POST  /unsubscribe/x                     404    404   404        404     404
GET       /agency/colours/0b5a8a.css         200    200   200        200     200
GET       /agency/logo/x.png                 404    404   404        404     404

POST      /auth/token                        422    422   422        422     422
POST      /auth/token/refresh                422    422   422        422     422
POST      /auth/logout                       401    401   422        422     422
GET       /auth/me                           401    401   200        200     200

POST      /debtors/auth/request-otp          422    422   422        422     422
POST      /debtors/auth/verify-otp           422    422   422        422     422
POST      /debtors/auth/answer               422    422   422        422     422
POST      /debtors/auth/logout               401    200   401        401     401
GET       /debtors/me/profile                401    200   401        401     401
GET       /debtors/me/debts                  401    200   401        401     401
GET       /debtors/me/disputes               401    200   401        401     401
POST      /debtors/me/disputes               401    422   401        401     401
GET       /debtors/me/deferral-requests      401    200   401        401     401
POST      /debtors/me/deferral-requests      401    422   401        401     401
POST      /debtors/me/deferral-requests/{asked}/withdraw 401 404 401     401     401
GET       /debtors/me/arrangement-options      401    200   401        401     401
GET       /debtors/me/arrangements             401    200   401        401     401
POST      /debtors/me/arrangements             401    422   401        401     401
POST      /debtors/me/arrangements/{offered}/changes 401 404 401       401     401  {"instalmentNo": 1, "dueOn": "2030-01-01"}
POST      /debtors/me/activities             401    422   401        401     401
GET       /debtors/me/documents              401    200   401        401     401
POST      /debtors/me/documents              401    415   401        401     401
GET       /debtors/me/documents/{document}   401    404   401        401     401
GET       /debtors/me/documents/{document}/content 401 404 401       401     401
GET       /debtors/me/hardship               401    200   401        401     401
POST      /debtors/me/hardship               401    422   401        401     401
GET       /debtors/me/complaints             401    200   401        401     401
POST      /debtors/me/complaints             401    422   401        401     401
GET       /debtors/me/details                401    200   401        401     401
PUT,PATCH /debtors/me/details                401    200   401        401     401
POST      /debtors/me/details/address-changes 401   422   401        401     401
POST      /debtors/me/details/address-changes/{change}/confirm 401 404 401 401 401  {"otpCode": "123456"}
GET       /debtors/me/messages               401    200   401        401     401
GET       /debtors/me/messages/{log}         401    404   401        401     401
GET       /debtors/me/payments               401    200   401        401     401
GET       /debtors/me/payoff                 401    422   401        401     401
POST      /debtors/me/budget                 401    422   401        401     401

GET       /debtors                           401    401   200        200     200
POST      /debtors                           401    401   422        422     403
GET       /debtors/{debtor}                  401    401   200        200     200
PUT,PATCH /debtors/{debtor}                  401    401   200        200     403
DELETE    /debtors/{debtor}                  401    401   403        204     403
GET       /debtors/{debtor}/debts            401    401   200        200     200
GET       /debtors/{debtor}/contact-preview  401    401   200        200     200

GET       /debts                             401    401   200        200     200
POST      /debts                             401    401   422        422     403
GET       /debts/{debt}                      401    401   200        200     200
PUT,PATCH /debts/{debt}                      401    401   200        200     403
PUT,PATCH /debts/{debt}                      401    401   200        200     403  {"currentStatus": "disputed"}
PUT,PATCH /debts/{debt}                      401    401   403        200     403  {"currentBalance": 5}
PUT,PATCH /debts/{debt}                      401    401   403        200     403  {"originalBalance": 5}
PUT,PATCH /debts/{debt}                      401    401   403        200     403  {"currencyCode": "EUR"}
PUT,PATCH /debts/{debt}                      401    401   403        200     403  {"currentStatus": "settled"}
PUT,PATCH /debts/{debt}                      401    401   403        200     403  {"currentStatus": "written_off"}
PUT,PATCH /debts/{debt}                      401    401   403        200     403  {"currentStatus": "recalled"}
PUT,PATCH /debts/{recalled}                  401    401   403        200     403  {"currentStatus": "active"}
GET       /debts/{debt}/interest             401    401   200        200     200
POST      /debts/{debt}/interest             401    401   403        422     403
DELETE    /debts/{debt}                      401    401   403        204     403
GET       /debts/{debt}/payments             401    401   200        200     200
GET       /debts/{debt}/ledger               401    401   200        200     200
POST      /debts/{debt}/ledger/{entry}/reverse 401  401   403        409     403
GET       /debts/{debt}/payoff               401    401   200        200     200
POST      /debts/{debt}/charges              401    401   403        422     403
POST      /debts/{debt}/charges              401    401   422        422     403  {"ruleCode": "none"}
POST      /debts/{debt}/waivers              401    401   422        422     403
POST      /debts/{debt}/waivers              401    401   403        201     403  {"principal": 1, "reason": "x"}
POST      /debts/{debt}/write-offs           401    401   422        422     403
POST      /debts/{debt}/write-offs           401    401   403        201     403  {"amount": 1, "reason": "uncollectible"}

GET       /payments                          401    401   200        200     200
POST      /payments                          401    401   422        422     403
POST      /payments                          401    401   201        201     403  {"debtId": "{debt}", "amount": 1}
GET       /payments/{payment}                401    401   200        200     200
PUT,PATCH /payments/{payment}                401    401   200        200     403
PUT,PATCH /payments/{payment}                401    401   200        200     403  {"paymentMethod": "cash"}
PUT,PATCH /payments/{payment}                401    401   403        200     403  {"amount": 2}
PUT,PATCH /payments/{payment}                401    401   403        200     403  {"status": "refunded"}
PUT,PATCH /payments/{pending}                401    401   200        200     403  {"status": "completed"}
PUT,PATCH /payments/{pending}                401    401   200        200     403  {"amount": 2}
DELETE    /payments/{payment}                401    401   403        204     403
POST      /payments/{payment}/chargeback     401    401   403        201     403
POST      /payments/{payment}/refund         401    401   201        201     403

GET       /creditors                         401    401   200        200     200
POST      /creditors                         401    401   422        422     403
GET       /creditors/{creditor}              401    401   200        200     200
PUT,PATCH /creditors/{creditor}              401    401   403        200     403

GET       /receipts                          401    401   200        200     200
POST      /receipts                          401    401   422        422     403
POST      /receipts  401 401 201 201 403  {"source": "cash", "amount": 5, "currencyCode": "GBP"}
GET       /receipts/{receipt}                401    401   200        200     200
GET       /receipts/{receipt}/proposals      401    401   200        200     200
POST      /receipts/{receipt}/allocations    401    401   422        422     403
POST      /receipts/{receipt}/allocations    401    401   201        201     403  [{"debtId": "{debt}", "amount": 1}]
POST      /receipts/{receipt}/allocations/{debt}/reverse  401 401 403 404 403
POST      /receipts/{receipt}/refund         401    401   422        422     403
POST      /receipts/{receipt}/refund         401    401   201        201     403  {"amount": 1, "reason": "x"}
GET       /debts/{debt}/payment-reference    401    401   409        409     409
POST      /payment-links                     401    401   422        422     403
POST      /payment-links  401 401 201 201 403  {"debtorId": "{debtor_of_debt}"}
GET       /credits                           401    401   200        200     200
GET       /credits/{credit}                  401    401   200        200     200
POST      /credits/{credit}/apply            401    401   422        422     403
POST      /credits/{credit}/refund           401    401   201        201     403  {"amount": 1, "reason": "x"}
GET       /refunds                           401    401   200        200     200
GET       /refunds/{refund}                  401    401   200        200     200
PUT       /refunds/{refund}/approve          401    401   403        200     403
PUT       /refunds/{refund}/reject           401    401   403        200     403  {"note": "No"}

GET       /dashboard/stats                   401    401   200        200     200

GET       /deferral-requests                 401    401   200        200     200
GET       /deferral-requests/{asked}         401    401   200        200     200
PUT       /deferral-requests/{asked}/approve 401    401   200        200     403
PUT       /deferral-requests/{asked}/reject  401    401   200        200     403  {"reviewNotes": "No."}
PUT       /deferral-requests/{asked}/end     401    401   409        409     403  {"why": "Paid."}

GET       /arrangements                           401    401   200        200     200
POST      /arrangements                           401    401   422        422     403
GET       /arrangements/{offered}                 401    401   200        200     200
PUT       /arrangements/{offered}/accept          401    401   200        200     403
PUT       /arrangements/{offered}/approve         401    401   403        409     403
PUT       /arrangements/{offered}/reject          401    401   403        409     403  {"reason": "No."}
PUT       /arrangements/{offered}/decline         401    401   200        200     403  {"reason": "No."}
PUT       /arrangements/{offered}/cancel          401    401   200        200     403  {"reason": "No."}
PUT       /arrangements/{offered}/reinstate       401    401   403        409     403  {"reason": "No."}
POST      /arrangements/{offered}/changes         401    401   422        422     403
POST      /debtors/{debtor}/arrangement-options   401    401   422        422     403
GET       /arrangement-policies                   401    401   200        200     200
POST      /arrangement-policies                   401    401   403        422     403
GET       /arrangement-policies/{terms}           401    401   200        200     200
PUT,PATCH /arrangement-policies/{terms}           401    401   403        200     403

GET       /communication-templates                401    401   200        200     200
POST      /communication-templates                401    401   422        422     403
GET       /communication-templates/placeholders   401    401   200        200     200
POST      /communication-templates/process        401    401   200        200     200
POST      /communication-templates/process        401    401   422        422     422  {"send": true}
GET       /communication-templates/{template}     401    401   200        200     200
PUT,PATCH /communication-templates/{template}     401    401   200        200     403
DELETE    /communication-templates/{template}     401    401   403        204     403
GET       /communication-logs                     401    401   200        200     200
GET       /communication-logs/{log}               401    401   200        200     200
POST      /communication-logs/withdraw            401    401   403        422     403
POST      /communication-logs/withdraw            401    401   403        200     403  {"dryRun": true, "debtorId": "{debtor}"}
GET       /digital-activities                     401    401   200        200     200

GET       /segments                          401    401   200        200     200
POST      /segments                          401    401   403        422     403
GET       /segments/{segment}                401    401   200        200     200
PUT,PATCH /segments/{segment}                401    401   403        200     403
DELETE    /segments/{segment}                401    401   403        204     403
GET       /rate-series                       401    401   200        200     200
POST      /rate-series                       401    401   403        422     403
GET       /rate-series/{rate}                401    401   200        200     200
GET       /interest-schedules                401    401   200        200     200
POST      /interest-schedules                401    401   403        422     403
GET       /interest-schedules/{schedule}     401    401   200        200     200
GET       /cost-rules                        401    401   200        200     200
POST      /cost-rules                        401    401   403        422     403
GET       /cost-rules/{cost_rule}            401    401   200        200     200
GET       /strategy-rules                    401    401   200        200     200
POST      /strategy-rules                    401    401   403        422     403
GET       /strategy-rules/{rule}             401    401   200        200     200
PUT,PATCH /strategy-rules/{rule}             401    401   403        200     403
DELETE    /strategy-rules/{rule}             401    401   403        204     403
GET       /debts/{debt}/strategy             401    401   200        200     200
GET       /strategy/runs                     401    401   200        200     200
POST      /strategy/runs                     401    401   403        202     403  {"dryRun": true}
GET       /strategy/runs/{run}               401    401   200        200     200
GET       /strategy/runs/{run}/outcomes      401    401   200        200     200
"""

#: The debtors' own pages ask for a session, which a token is not: everybody here is nobody to them.
PORTAL = """
GET  /portal                    200
GET  /portal/code               302
POST /portal/code               302
GET  /portal/sign-in            200
GET  /portal/request-code       302
POST /portal/request-code       422
POST /portal/code/again         302
GET  /portal/question           302
POST /portal/question           401
POST /portal/not-me             302
GET  /portal/l/{token}          302
GET  /portal/sign-out           200
POST /portal/sign-out           302
POST /portal/language           302
GET  /portal/more-time          302
GET  /portal/debts/{id}         302
GET  /portal/debts/{id}/more-time   302
POST /portal/debts/{id}/more-time   302
GET  /portal/more-time/{id}     302
POST /portal/more-time/{id}     302
GET  /portal/debts/{id}/plan    302
GET  /portal/debts/{id}/plan/agree  302
POST /portal/debts/{id}/plan/agree  302
GET  /portal/plans/{id}         302
POST /portal/plans/{id}         302
GET  /portal/pay                302
GET  /portal/dispute            302
GET  /portal/debts/{id}/dispute 302
POST /portal/debts/{id}/dispute 302
GET  /portal/disputes/{id}      302
POST /portal/disputes/{id}      302
GET  /portal/documents/{id}     302
GET  /portal/help               302
POST /portal/help               302
GET  /portal/complain           302
POST /portal/complain           302
GET  /portal/details            302
POST /portal/details            302
POST /portal/details/stop       302
GET  /portal/details/new/<slug:kind>  302
POST /portal/details/new/<slug:kind>  302
GET  /portal/details/code/{id}  302
POST /portal/details/code/{id}  302
GET  /portal/messages           302
GET  /portal/messages/{id}      302
GET  /portal/statement          302
GET  /portal/budget             302
POST /portal/budget             302
GET  /portal/budget/{id}        302
POST /portal/budget/{id}        302
POST /portal/pay                302
GET  /portal/pay/transfer       302
GET  /portal/pay/{id}           302
POST /portal/pay/{id}           302
GET  /portal/payments/{id}      302
GET  /portal/payments/{id}/receipt  302
"""

#: The pages of sign-in to the back office, the same for everyone: without a password just entered, there is no second step.
SIGN_IN = """
GET  /admin/login/code/                   302
POST /admin/login/code/                   302
GET  /admin/login/set-up/                 302
POST /admin/login/set-up/                 302
GET  /admin/password/                     200
POST /admin/password/                     200
GET  /admin/password/<uidb64>/<token>/    200
POST /admin/password/<uidb64>/<token>/    200
"""

#: What each role may do in the back office: view, add, change, delete. Whoever isn't signed in is sent to sign in.
ADMIN = """
                                     agent supervisor auditor
auth/group                               v          v       v
agency/agencyprofile                     v         vc       v
agents/agent                             v        vac       v
agents/rolelimit                         v       vacd       v
agents/apitoken                          v          v       v
agents/tokenfamily                       v          v       v
audit/auditevent                         -          v       v
audit/listexport                         -          v       v
audit/systemcheck                        v          v       v
agents/spentrefreshtoken                 v          v       v
agents/signinattempt                     v          v       v
agents/staffsession                      v          v       v
agents/passwordlink                      v          v       v
creditors/creditor                      va       vacd       v
creditors/creditorname                   v          v       v
creditors/creditorlook                   v       vacd       v
debtors/debtor                         vac       vacd       v
debtors/contactpoint                     v         va       v
debtors/consent                          v          v       v
collections/debt                       vac       vacd       v
collections/ledgerentry                  v          v       v
arrangements/arrangement                 v          v       v
arrangements/arrangementpolicy           v         va       v
collections/hold                        va         va       v
collections/holdevent                    v          v       v
collections/dispute                     va         va       v
collections/deferralrequest             vc         vc       v
collections/segment                      v       vacd       v
collections/exchangerate                 v       vacd       v
collections/seriesrate                   v         va       v
collections/interestschedule             v         va       v
collections/costrule                     v         va       v
collections/parkedplacement              v          v       v
collections/placementimport              v         va       v
payments/payment                       vac       vacd       v
payments/idempotencykey                  v          v       v
payments/receipt                        va         va       v
payments/credit                          v          v       v
payments/refund                          v          v       v
payments/paymentintent                   v          v       v
payments/providerevent                   v          v       v
payments/providerpayout                  v          v       v
payments/bankaccount                    va         va       v
communications/communicationtemplate   vac       vacd       v
communications/communicationtemplateversion  v      v       v
communications/communicationlog          v          v       v
communications/messageattempt            v          v       v
communications/uncertainresolution       v          v       v
communications/uncertainmessage          v          v       v
communications/circuit                   v          v       v
communications/databaserestore           v          v       v
communications/pendingdispatch           v          v       v
communications/calltask                  v          v       v
communications/inboundmessage            v          v       v
casework/note                           va         va       v
casework/followup                       va         va       v
casework/workclaim                       v          v       v
casework/supportrequest                  v          v       v
casework/document                        v          v       v
portal/addresschange                     v          v       v
portal/budget                            v          v       v
portal/portalviewing                     v          v       v
contact/contactdecision                  v          v       v
contact/contactpolicy                    v         va       v
contact/contactpreference               va         va       v
contact/validationnotice                 v          v       v
communications/providerevent             v          v       v
strategy/strategyrule                    v       vacd       v
strategy/strategyrun                     v         va       v
strategy/strategystep                    v          v       v
strategy/strategyunreached               v          v       v
portal/digitalactivity                   v          v       v
portal/otpsession                        v          v       v
portal/signedlink                        v          v       v
portal/revokeddebtortoken                v          v       v
"""

#: The back office's other pages, each asked for and posted to. 302 sends whoever isn't signed in to sign in, and all others on
#: when it is done; 200 shows the form, again where it is refused. What is sent follows the statuses.
ADMIN_PAGES = """
                                                          nobody debtor agent supervisor auditor
GET,POST /admin                                             302    302   302     302     302
GET,POST /admin/                                            302    302   200     200     200
GET      /admin/login/                                      200    200   302     302     302
POST     /admin/login/                                      200    200   200     200     200
GET,POST /admin/account/                                    302    302   200     200     200
GET      /admin/health/                                     302    302   403     200     403
POST     /admin/health/                                     302    302   403     302     403
GET,POST /admin/health/<uuid:check_id>/                     302    302   404     404     404
GET,POST /admin/export/<app>/<model>/                       302    302   403     404     404
GET,POST /admin/account/second-factor/                      302    302   200     200     200
GET,POST /admin/account/second-factor/remove/               302    302   302     302     302
GET,POST /admin/account/recovery-codes/                     302    302   302     302     302
GET      /admin/account/sessions/end/                       302    302   405     405     405
GET      /admin/account/sessions/{session}/end/             302    302   405     405     405
POST     /admin/account/sessions/{session}/end/             302    302   302     302     302
GET,POST /admin/password_change/                            302    302   200     200     200
GET      /admin/password_change/done/                       302    302   200     200     200
POST     /admin/password_change/done/                       302    302   405     405     405
GET      /admin/jsi18n/                                     302    302   200     200     200
POST     /admin/jsi18n/                                     302    302   405     405     405
GET,POST /admin/search/                                     302    302   200     200     200
GET      /admin/autocomplete/                               302    302   403     403     403
POST     /admin/autocomplete/                               302    302   405     405     405
GET,POST /admin/find/                                       302    302   200     200     200
GET,POST /admin/figures/ages/                               302    302   200     200     200
GET,POST /admin/work/deferrals/                             302    302   302     302     403
GET,POST /admin/work/holds/                                 302    302   403     302     403
GET,POST /admin/work/deferrals/leave/                       302    302   302     302     302
GET,POST /admin/r/<path:content_type_id>/<path:object_id>/  302    302   404     404     404
GET,POST /admin/nothing                                     302    302   404     404     404
GET,POST /admin/debtors/                                    302    302   200     200     200

GET  /admin/debtors/debtor/{debtor}/record_call/       302    302   200     200     403
POST /admin/debtors/debtor/{debtor}/record_call/       302    302   302     302     403  direction=inbound&outcome=right_party
GET  /admin/debtors/debtor/{debtor}/note/              302    302   200     200     403
POST /admin/debtors/debtor/{debtor}/note/              302    302   302     302     403  text=Shifts
GET  /admin/debtors/debtor/{debtor}/follow_up/         302    302   200     200     403
POST /admin/debtors/debtor/{debtor}/follow_up/         302    302   200     200     403  text=Call&due_on=2001-01-01&owner=any
GET,POST /admin/debtors/debtor/{debtor}/write/         302    302   200     200     403
GET  /admin/debtors/debtor/{debtor}/verify/            302    302   200     200     403
POST /admin/debtors/debtor/{debtor}/verify/            302    302   200     200     403
GET,POST /admin/debtors/debtor/{debtor}/pay/           302    302   200     200     403
GET  /admin/debtors/debtor/{debtor}/sign_out/          302    302   200     200     403
POST /admin/debtors/debtor/{debtor}/sign_out/          302    302   302     302     403
GET  /admin/debtors/contactpoint/{point}/reactivate/ 302    302   403     200     403
POST /admin/debtors/contactpoint/{point}/reactivate/ 302    302   403     302     403  source=Asked
GET  /admin/debtors/contactpoint/{point}/consent/    302    302   200     200     403
POST /admin/debtors/contactpoint/{point}/consent/ 302 302 302 302 403 channels=sms&basis=reply&given_at=2026-01-01&text=Y&source=C
GET  /admin/debtors/contactpoint/{point}/check_number/ 302    302   200     200     403
POST /admin/debtors/contactpoint/{point}/check_number/ 302 302 302 302 403 is_reassigned=no&checked_at=2026-01-01&source=FCC

GET  /admin/collections/parkedplacement/{parked}/same/     302    302   200     200     403
POST /admin/collections/parkedplacement/{parked}/same/     302    302   302     302     403
GET  /admin/collections/parkedplacement/{parked}/another/  302    302   200     200     403
POST /admin/collections/parkedplacement/{parked}/another/  302    302   302     302     403

GET  /admin/debtors/debtor/{debtor}/withdraw_messages/  302    302   403     200     403
POST /admin/debtors/debtor/{debtor}/withdraw_messages/  302    302   403     302     403  reason=Wrong
GET  /admin/creditors/creditor/{creditor}/withdraw_messages/  302    302   403     200     403
POST /admin/creditors/creditor/{creditor}/withdraw_messages/  302    302   403     302     403  reason=Wrong
GET  /admin/strategy/strategyrule/{rule}/withdraw_messages/  302    302   403     200     403
POST /admin/strategy/strategyrule/{rule}/withdraw_messages/  302    302   403     302     403  reason=Wrong
GET  /admin/strategy/strategyrun/{run}/withdraw_messages/  302    302   403     200     403
POST /admin/strategy/strategyrun/{run}/withdraw_messages/  302    302   403     302     403  reason=Wrong

GET      /admin/payments/receipt/{receipt}/book/            302    302   405     405     405
POST     /admin/payments/receipt/{receipt}/book/            302    302   302     302     403  debt={debt}
GET      /admin/payments/receipt/{receipt}/offset/          302    302   405     405     405
POST     /admin/payments/receipt/{receipt}/offset/          302    302   302     302     403  counterpart={debt}
GET      /admin/payments/receipt/{receipt}/undo/            302    302   405     405     405
POST     /admin/payments/receipt/{receipt}/undo/            302    302   403     302     403  allocation={debt}
GET      /admin/payments/receipt/{receipt}/book_elsewhere/  302    302   200     200     403
POST     /admin/payments/receipt/{receipt}/book_elsewhere/  302    302   200     200     403
GET      /admin/payments/receipt/{receipt}/refund/          302    302   200     200     403
POST     /admin/payments/receipt/{receipt}/refund/          302    302   302     302     403  amount=1&reason=x
GET      /admin/payments/credit/{credit}/apply/             302    302   200     200     403
POST     /admin/payments/credit/{credit}/apply/             302    302   200     200     403  amount=1
GET      /admin/payments/credit/{credit}/refund/            302    302   200     200     403
POST     /admin/payments/credit/{credit}/refund/            302    302   302     302     403  amount=1&reason=x
GET      /admin/payments/refund/{refund}/approve/           302    302   403     200     403
POST     /admin/payments/refund/{refund}/approve/           302    302   403     302     403
GET      /admin/payments/refund/{refund}/reject/            302    302   200     200     403
POST     /admin/payments/refund/{refund}/reject/            302    302   200     302     403  note=No

GET,POST /admin/agents/agent/{agent}/password/              302    302   403     403     403
GET      /admin/agents/agent/{agent}/change_role/           302    302   403     200     403
POST     /admin/agents/agent/{agent}/change_role/           302    302   403     302     403  role=Auditor
GET      /admin/agents/agent/{agent}/send_password_link/    302    302   403     200     403
POST     /admin/agents/agent/{agent}/send_password_link/    302    302   403     200     403
GET      /admin/agents/agent/{agent}/reset_second_factor/   302    302   403     200     403
POST     /admin/agents/agent/{agent}/reset_second_factor/   302    302   403     302     403
GET      /admin/agents/agent/{agent}/end_access/            302    302   403     200     403
POST     /admin/agents/agent/{agent}/end_access/            302    302   403     302     403
GET      /admin/agents/agent/{agent}/deactivate/            302    302   403     200     403
POST     /admin/agents/agent/{agent}/deactivate/            302    302   403     302     403
GET,POST /admin/agents/agent/{agent}/reactivate/            302    302   403     403     403

GET      /admin/communications/communicationlog/{log}/confirm/           302    302   200     200     403
POST     /admin/communications/communicationlog/{log}/confirm/           302    302   200     200     403  reason=Seen
GET      /admin/communications/communicationlog/{log}/send_again/        302    302   200     200     403
POST     /admin/communications/communicationlog/{log}/send_again/        302    302   200     200     403  reason=Lost
GET,POST /admin/communications/communicationlog/{log}/download/          302    302   200     200     200
GET      /admin/communications/providerevent/{event}/retry/              302    302   403     200     403
POST     /admin/communications/providerevent/{event}/retry/              302    302   403     302     403
GET      /admin/communications/providerevent/{event}/close/              302    302   403     200     403
POST     /admin/communications/providerevent/{event}/close/              302    302   403     302     403
GET,POST /admin/communications/inboundmessage/{inbound}/answer/          302    302   403     403     403
GET      /admin/communications/communicationtemplate/{template}/preview/ 302    302   200     200     200
POST     /admin/communications/communicationtemplate/{template}/preview/ 302    302   302     302     302
GET      /admin/communications/inboundmessage/{inbound}/mark_read/       302    302   200     200     403
POST     /admin/communications/inboundmessage/{inbound}/mark_read/       302    302   302     302     403
GET      /admin/communications/calltask/{task}/begin/                    302    302   200     200     403
POST     /admin/communications/calltask/{task}/begin/                    302    302   302     302     403
GET      /admin/communications/calltask/{task}/finish/                   302    302   200     200     403
POST     /admin/communications/calltask/{task}/finish/                   302    302   302     302     403  outcome=not_called
GET,POST /admin/communications/uncertainmessage/{log}/confirm/           302    302   404     404     403
GET      /admin/communications/uncertainmessage/{uncertain}/confirm/     302    302   200     200     403
POST     /admin/communications/uncertainmessage/{uncertain}/confirm/     302    302   302     302     403  reason=Seen
GET,POST /admin/communications/uncertainmessage/{log}/send_again/        302    302   404     404     403
GET      /admin/communications/uncertainmessage/{uncertain}/send_again/  302    302   200     200     403
POST     /admin/communications/uncertainmessage/{uncertain}/send_again/  302    302   302     302     403  reason=Lost
GET,POST /admin/communications/uncertainmessage/{log}/download/          302    302   404     404     404
GET,POST /admin/contact/contactpolicy/{policy}/new_version/              302    302   403     200     403
GET      /admin/contact/contactpreference/{preference}/withdraw/         302    302   200     200     403
POST     /admin/contact/contactpreference/{preference}/withdraw/         302    302   302     302     403

GET      /admin/casework/note/{note}/pin/                302    302   200     200     403
POST     /admin/casework/note/{note}/pin/                302    302   302     302     403
GET,POST /admin/casework/note/{note}/unpin/              302    302   403     403     403
GET      /admin/casework/note/{note}/strike_out/         302    302   403     200     403
POST     /admin/casework/note/{note}/strike_out/         302    302   403     302     403
GET      /admin/as-debtor/{debtor}/home/                     302  302   200     200     403
POST     /admin/as-debtor/{debtor}/home/                     302  302   405     405     405
GET      /admin/casework/supportrequest/{complaint}/begin/   302  302   200     200     403
POST     /admin/casework/supportrequest/{complaint}/begin/   302  302   302     302     403
GET      /admin/casework/supportrequest/{complaint}/answer/  302  302   200     200     403
POST     /admin/casework/supportrequest/{complaint}/answer/  302  302   302     302     403  answer=Sorry
GET,POST /admin/casework/document/{document}/download/       302  302   200     200     200
GET      /admin/casework/followup/{follow_up}/finish/    302    302   200     200     403
POST     /admin/casework/followup/{follow_up}/finish/    302    302   302     302     403  note=Sent
GET      /admin/casework/followup/{follow_up}/move/      302    302   200     200     403
POST     /admin/casework/followup/{follow_up}/move/      302    302   200     200     403  due_on=2001-01-01
GET      /admin/casework/followup/{follow_up}/drop/      302    302   200     200     403
POST     /admin/casework/followup/{follow_up}/drop/      302    302   302     302     403

GET      /admin/collections/placementimport/{upload}/confirm/       302    302   403     200     403
POST     /admin/collections/placementimport/{upload}/confirm/       302    302   403     302     403
GET      /admin/collections/placementimport/{upload}/discard/       302    302   403     200     403
POST     /admin/collections/placementimport/{upload}/discard/       302    302   403     302     403
GET,POST /admin/collections/placementimport/<uuid:object_id>/progress/  302 302 302 302 302
GET,POST /admin/collections/placementimport/{upload}/refused_rows/  302    302   403     403     403
GET,POST /admin/collections/deferralrequest/{asked}/preview/    302    302   200     200     403
GET      /admin/collections/deferralrequest/{asked}/undo/       302    302   405     405     405
POST     /admin/collections/deferralrequest/{asked}/undo/       302    302   302     302     302
GET,POST /admin/collections/deferralrequest/{asked}/end_early/  302    302   403     403     403
GET      /admin/collections/hold/{hold}/approve/              302    302   403     200     403
POST     /admin/collections/hold/{hold}/approve/              302    302   403     302     403
GET      /admin/collections/hold/{hold}/review_it/            302    302   200     200     403
POST     /admin/collections/hold/{hold}/review_it/            302    302   302     302     403  why=Told
GET      /admin/collections/hold/{hold}/move/                 302    302   200     200     403
POST     /admin/collections/hold/{hold}/move/                 302    302   302     302     403  why=Told
POST     /admin/collections/hold/{hold}/move/                 302    302   200     302     403  ends_on=2099-01-01&why=Told
GET,POST /admin/collections/hold/{moratorium}/move/           302    302   403     403     403
GET,POST /admin/collections/hold/{moratorium}/approve/        302    302   403     403     403
GET      /admin/collections/hold/{moratorium}/end_treatment/  302    302   403     200     403
POST     /admin/collections/hold/{moratorium}/end_treatment/  302    302   403     302     403  last_day=2099-01-01&why=Told
GET      /admin/collections/hold/{hold}/end/                  302    302   403     200     403
POST     /admin/collections/hold/{hold}/end/                  302    302   403     302     403  why=Told

GET      /admin/collections/dispute/{dispute}/ask_creditor/   302    302   200     200     403
POST     /admin/collections/dispute/{dispute}/ask_creditor/   302    302   302     302     403
GET,POST /admin/collections/dispute/{dispute}/verify/         302    302   403     403     403
GET      /admin/collections/dispute/{dispute}/withdraw/       302    302   403     200     403
POST     /admin/collections/dispute/{dispute}/withdraw/       302    302   403     302     403  answer=None
GET,POST /admin/collections/dispute/{awaiting}/ask_creditor/  302    302   403     403     403
GET      /admin/collections/dispute/{awaiting}/verify/        302    302   403     200     403
POST     /admin/collections/dispute/{awaiting}/verify/        302    302   403     302     403  answer=Proof
GET      /admin/collections/dispute/{awaiting}/adjust/        302    302   403     200     403
POST     /admin/collections/dispute/{awaiting}/adjust/        302    302   403     302     403  balance=5&answer=Less
GET      /admin/collections/dispute/{awaiting}/recall/        302    302   403     200     403
POST     /admin/collections/dispute/{awaiting}/recall/        302    302   403     302     403  answer=Theirs

GET      /admin/debtors/debtor/{debtor}/arrange/              302    302   200     200     403
POST     /admin/debtors/debtor/{debtor}/arrange/              302    302   200     200     403  do=agreed
GET      /admin/arrangements/arrangement/{offered}/accept/    302    302   200     200     403
POST     /admin/arrangements/arrangement/{offered}/accept/    302    302   302     302     403
GET      /admin/arrangements/arrangement/{offered}/decline/   302    302   200     200     403
POST     /admin/arrangements/arrangement/{offered}/decline/   302    302   302     302     403  reason=No
GET      /admin/arrangements/arrangement/{offered}/cancel/    302    302   200     200     403
POST     /admin/arrangements/arrangement/{offered}/cancel/    302    302   302     302     403  reason=No
GET,POST /admin/arrangements/arrangement/{offered}/approve/   302    302   403     403     403
GET      /admin/arrangements/arrangement/{proposed}/approve/  302    302   403     200     403
POST     /admin/arrangements/arrangement/{proposed}/approve/  302    302   403     302     403
GET      /admin/arrangements/arrangement/{proposed}/reject/   302    302   403     200     403
POST     /admin/arrangements/arrangement/{proposed}/reject/   302    302   403     302     403  reason=No
GET      /admin/arrangements/arrangement/{broken}/reinstate/  302    302   403     200     403
POST     /admin/arrangements/arrangement/{broken}/reinstate/  302    302   403     302     403  reason=Ill
GET      /admin/arrangements/arrangement/{agreed}/delay/      302    302   200     200     403
POST     /admin/arrangements/arrangement/{agreed}/delay/      302    302   200     200     403
GET      /admin/arrangements/arrangement/{agreed}/change_amount/  302    302   200     200     403
POST     /admin/arrangements/arrangement/{agreed}/change_amount/  302 302 302 302 403  instalment_no=1&amount=1
GET,POST /admin/arrangements/arrangementpolicy/{terms}/new_version/  302 302 403 302 403

GET      /admin/debtors/debtor/{debtor}/payment_link/      302 302 200 200 403
POST     /admin/debtors/debtor/{debtor}/payment_link/      302 302 200 200 403
GET      /admin/payments/bankaccount/{account}/approve/    302 302 403 200 403
POST     /admin/payments/bankaccount/{account}/approve/    302 302 403 302 403
GET      /admin/payments/bankaccount/{account}/reject/     302 302 200 200 403
POST     /admin/payments/bankaccount/{account}/reject/     302 302 200 302 403
GET      /admin/payments/providerevent/{payment_event}/retry/  302 302 403 200 403
POST     /admin/payments/providerevent/{payment_event}/retry/  302 302 403 302 403
GET      /admin/payments/providerevent/{payment_event}/close/  302 302 403 200 403
POST     /admin/payments/providerevent/{payment_event}/close/  302 302 403 302 403
GET      /admin/payments/payment/{payment}/charge_back/ 302 302 403 200 403
POST     /admin/payments/payment/{payment}/charge_back/ 302 302 403 302 403  amount=1
GET      /admin/payments/payment/{payment}/refund/      302 302 200 200 403
POST     /admin/payments/payment/{payment}/refund/      302 302 302 302 403  amount=1
GET      /admin/payments/payment/{payment}/reverse/     302 302 403 200 403
POST     /admin/payments/payment/{payment}/reverse/     302 302 403 302 403

GET,POST /admin/collections/debt/{debt}/charge/    302 302 200 200 403
GET,POST /admin/collections/debt/{debt}/waive/     302 302 200 200 403
GET,POST /admin/collections/debt/{debt}/write_off/ 302 302 200 200 403
GET  /admin/collections/debt/{debt}/correct_amounts/ 302 302 403 200 403
POST /admin/collections/debt/{debt}/correct_amounts/ 302 302 403 302 403  current_balance=5&original_balance=9&currency_code=GBP
GET  /admin/collections/debt/{debt}/change_status/   302 302 200 200 403
POST /admin/collections/debt/{debt}/change_status/   302 302 302 302 403  current_status=payment_plan
POST /admin/collections/debt/{debt}/change_status/   302 302 200 302 403  current_status=settled
"""
