# tests/http/local.mk - tests of what HTTP listeners say.

http_tests =
if HTTP
http_tests += tests/http/check_http_figures
endif

tests_http_check_http_figures_LDADD = $(http_test_libs)
