# daemon/store/index/local.mk - from a hash to a place.

noinst_LIBRARIES += daemon/store/index/libindex.a
daemon_store_index_libindex_a_SOURCES = \
	daemon/store/index/bucket.h \
	daemon/store/index/bucket_pool.c \
	daemon/store/index/bucket_pool.h \
	daemon/store/index/index.c \
	daemon/store/index/index.h \
	daemon/store/index/index_resize.c
