# daemon/store/index/local.mk - from a hash to a place.

daemon_store_libstore_a_SOURCES += \
	daemon/store/index/bucket_pool.c \
	daemon/store/index/bucket_pool.h \
	daemon/store/index/index.c \
	daemon/store/index/index.h \
	daemon/store/index/index_resize.c
