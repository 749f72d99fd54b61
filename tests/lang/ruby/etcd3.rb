# frozen_string_literal: true

# libetcd3 for Ruby, as small as the smoke test needs it: Fiddle only, and no callback, which a
# library's thread could not run in Ruby. ETCD3_LIBDIR names the directory of the library.
require "fiddle/import"

module Etcd3
  # The C interface, as the header declares it.
  module C
    extend Fiddle::Importer
    dlload File.join(ENV.fetch("ETCD3_LIBDIR"), "libetcd3.#{RUBY_PLATFORM.include?("darwin") ? "dylib" : "so"}")
    typealias "etcd3_code_t", "int32_t"

    extern "etcd3_config_t *etcd3_config_new(void)"
    extern "void etcd3_config_add_endpoint(etcd3_config_t *config, const char *endpoint)"
    extern "void etcd3_config_set_timeout(etcd3_config_t *config, int64_t timeout_ms)"
    extern "void etcd3_config_free(etcd3_config_t *config)"
    extern "etcd3_code_t etcd3_client_open(const etcd3_config_t *config, etcd3_client_t **client, etcd3_error_t **err)"
    extern "etcd3_code_t etcd3_client_close(etcd3_client_t *client, int64_t timeout_ms, etcd3_error_t **err)"
    extern "void etcd3_client_free(etcd3_client_t *client)"

    extern "etcd3_code_t etcd3_error_code(const etcd3_error_t *error)"
    extern "const char *etcd3_error_message(const etcd3_error_t *error)"
    extern "const char *etcd3_code_name(etcd3_code_t code)"
    extern "void etcd3_error_free(etcd3_error_t *error)"

    extern "etcd3_code_t etcd3_put(void *client, void *key, size_t key_len, void *value, size_t value_len, void *err)"
    extern "etcd3_code_t etcd3_get(void *client, void *key, size_t key_len, void *result, void *err)"
    extern "etcd3_code_t etcd3_get_prefix(void *client, void *prefix, size_t prefix_len, void *result, void *err)"
    extern "etcd3_code_t etcd3_delete_prefix(void *client, void *prefix, size_t prefix_len, void *deleted, void *err)"
    extern "etcd3_code_t etcd3_execute(void *client, const etcd3_op_t *op, etcd3_result_t **result, void *err)"

    extern "etcd3_op_t *etcd3_op_get(const void *key, size_t key_len)"
    extern "etcd3_op_t *etcd3_op_put(const void *key, size_t key_len, const void *value, size_t value_len)"
    extern "etcd3_op_t *etcd3_op_delete(const void *key, size_t key_len)"
    extern "etcd3_op_t *etcd3_op_txn(void)"
    extern "void etcd3_txn_if_value(void *txn, void *key, size_t key_len, int32_t cmp, void *value, size_t value_len)"
    extern "void etcd3_txn_then(etcd3_op_t *txn, const etcd3_op_t *op)"
    extern "void etcd3_txn_else(etcd3_op_t *txn, const etcd3_op_t *op)"
    extern "void etcd3_op_free(etcd3_op_t *op)"

    extern "size_t etcd3_result_kv_count(const etcd3_result_t *result)"
    extern "const etcd3_kv_t *etcd3_result_kv(const etcd3_result_t *result, size_t i)"
    extern "int etcd3_result_succeeded(const etcd3_result_t *result)"
    extern "size_t etcd3_result_response_count(const etcd3_result_t *result)"
    extern "const etcd3_result_t *etcd3_result_response(const etcd3_result_t *result, size_t i)"
    extern "void etcd3_result_free(etcd3_result_t *result)"

    extern "etcd3_code_t etcd3_queue_new(etcd3_queue_t **queue, etcd3_error_t **err)"
    extern "int etcd3_queue_fd(const etcd3_queue_t *queue)"
    extern "etcd3_code_t etcd3_queue_next(etcd3_queue_t *queue, int64_t timeout_ms, void *event, void *err)"
    extern "void etcd3_queue_free(etcd3_queue_t *queue)"
    extern "int32_t etcd3_event_type(const etcd3_event_t *event)"
    extern "int32_t etcd3_event_state(const etcd3_event_t *event)"
    extern "int64_t etcd3_event_revision(const etcd3_event_t *event)"
    extern "void *etcd3_event_user_data(const etcd3_event_t *event)"
    extern "const etcd3_error_t *etcd3_event_error(const etcd3_event_t *event)"
    extern "size_t etcd3_event_change_count(const etcd3_event_t *event)"
    extern "const etcd3_change_t *etcd3_event_change(const etcd3_event_t *event, size_t i)"
    extern "void etcd3_event_free(etcd3_event_t *event)"

    extern "etcd3_watch_opts_t *etcd3_watch_opts_new(const void *key, size_t key_len)"
    extern "void etcd3_watch_opts_set_prefix(etcd3_watch_opts_t *opts)"
    extern "void etcd3_watch_opts_set_prev_kv(etcd3_watch_opts_t *opts)"
    extern "void etcd3_watch_opts_free(etcd3_watch_opts_t *opts)"
    extern "etcd3_code_t etcd3_watch_start(void *client, void *opts, void *queue, void *fn, void *user_data, " \
           "etcd3_watch_t **watch, etcd3_error_t **err)"
    extern "void etcd3_watch_cancel(etcd3_watch_t *watch)"
    extern "void etcd3_watch_free(etcd3_watch_t *watch)"

    KeyValue = struct ["void *key", "size_t key_len", "void *value", "size_t value_len",
                       "int64_t create_revision", "int64_t mod_revision", "int64_t version", "int64_t lease"]
    Change = struct ["int32_t type", "int32_t is_create", "void *kv", "void *prev_kv"]
    ERR_UNAVAILABLE = 4
    ERR_CLOSED = 5
    EQUAL = 0
  end

  class Error < StandardError
    attr_reader :code, :name

    def initialize(handle)
      @code = C.etcd3_error_code(handle)
      @name = C.etcd3_code_name(@code).to_s
      super("#{@name}: #{C.etcd3_error_message(handle).to_s.force_encoding("UTF-8")}")
    end
  end

  KeyValue = Struct.new(:key, :value, :create_revision, :mod_revision, :version, :lease)
  Result = Struct.new(:succeeded, :kvs, :responses)
  Change = Struct.new(:type, :is_create, :kv, :prev_kv)
  Event = Struct.new(:type, :state, :revision, :user_data, :error, :changes)

  # Handles of C, and what they hold as Ruby objects.
  module Border
    module_function

    # Calls `function` with `err` added, and raises what comes through it.
    def call(function, *arguments)
      error = pointer
      return if C.public_send(function, *arguments, error).zero?

      begin
        raise Error.new(error.ptr)
      ensure
        C.etcd3_error_free(error.ptr)
      end
    end

    # The same for a function that hands something out, just before `err`.
    def take(function, *arguments)
      out = pointer
      call(function, *arguments, out)
      out.ptr
    end

    def pointer
      Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE).tap { |p| p[0, p.size] = "\0" * p.size }
    end

    def kv(handle)
      return if handle.null?

      c = C::KeyValue.new(handle)
      KeyValue.new(c.key[0, c.key_len], c.value[0, c.value_len], c.create_revision, c.mod_revision, c.version, c.lease)
    end

    def result(handle)
      kvs = Array.new(C.etcd3_result_kv_count(handle)) { |i| kv(C.etcd3_result_kv(handle, i)) }
      responses = Array.new(C.etcd3_result_response_count(handle)) { |i| result(C.etcd3_result_response(handle, i)) }
      Result.new(C.etcd3_result_succeeded(handle) != 0, kvs, responses)
    end

    def event(handle)
      changes = Array.new(C.etcd3_event_change_count(handle)) do |i|
        c = C::Change.new(C.etcd3_event_change(handle, i))
        Change.new(%i[put delete][c.type], c.is_create != 0, kv(c.kv), kv(c.prev_kv))
      end
      error = C.etcd3_event_error(handle)
      Event.new({ 1 => :watch, 2 => :progress, 3 => :state, 4 => :closed }[C.etcd3_event_type(handle)],
                { 1 => :live, 2 => :disconnected, 3 => :resumed }[C.etcd3_event_state(handle)],
                C.etcd3_event_revision(handle), C.etcd3_event_user_data(handle).to_i,
                error.null? ? nil : Error.new(error), changes)
    end
  end

  # An operation for a transaction: Op.new(:get, key), Op.new(:put, key, value), Op.new(:delete, key), Op.new(:txn).
  class Op < Fiddle::Pointer
    def self.new(kind, *inputs)
      super(C.public_send("etcd3_op_#{kind}", *inputs.flat_map { |bytes| [bytes, bytes.bytesize] }).to_i, 0,
            C["etcd3_op_free"])
    end
  end

  # Events of any number of watches, taken by whoever selects on its IO.
  class Queue
    attr_reader :handle, :io

    def initialize
      @handle = Border.take(:etcd3_queue_new)
      @io = IO.for_fd(C.etcd3_queue_fd(@handle), autoclose: false)
    end

    # The next event, or nil if none waits.
    def take
      handle = Border.take(:etcd3_queue_next, @handle, 0)
      return if handle.null?

      begin
        Border.event(handle)
      ensure
        C.etcd3_event_free(handle)
      end
    end

    # The next event; other threads run meanwhile.
    def wait
      event = nil
      IO.select([@io]) until (event = take)
      event
    end

    def free = C.etcd3_queue_free(@handle)
  end

  class Client
    def initialize(*endpoints, timeout_ms: 5000)
      config = C.etcd3_config_new
      endpoints.each { |endpoint| C.etcd3_config_add_endpoint(config, endpoint) }
      C.etcd3_config_set_timeout(config, timeout_ms)
      @handle = Border.take(:etcd3_client_open, config)
    ensure
      C.etcd3_config_free(config)
    end

    def put(key, value) = Border.call(:etcd3_put, @handle, key, key.bytesize, value, value.bytesize)
    def get(key) = result(:etcd3_get, key, key.bytesize).kvs.first
    def get_prefix(prefix) = result(:etcd3_get_prefix, prefix, prefix.bytesize).kvs
    def delete_prefix(prefix) = Border.call(:etcd3_delete_prefix, @handle, prefix, prefix.bytesize, nil)

    def txn(values: {}, success: [], failure: [])
      txn = Op.new(:txn)
      values.each { |k, v| C.etcd3_txn_if_value(txn, k, k.bytesize, C::EQUAL, v, v.bytesize) }
      success.each { |op| C.etcd3_txn_then(txn, op) }
      failure.each { |op| C.etcd3_txn_else(txn, op) }
      result(:etcd3_execute, txn)
    end

    # Starts a watch whose events carry `user_data`, a number.
    def watch(prefix, queue, user_data)
      options = C.etcd3_watch_opts_new(prefix, prefix.bytesize)
      C.etcd3_watch_opts_set_prefix(options)
      C.etcd3_watch_opts_set_prev_kv(options)
      Border.take(:etcd3_watch_start, @handle, options, queue.handle, nil, user_data)
    ensure
      C.etcd3_watch_opts_free(options)
    end

    def close = Border.call(:etcd3_client_close, @handle, 5000)
    def free = C.etcd3_client_free(@handle)

    private

    def result(function, *arguments)
      handle = Border.take(function, @handle, *arguments)
      Border.result(handle)
    ensure
      C.etcd3_result_free(handle)
    end
  end
end
