#include "sessions/npz.h"

#include <zip.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "engine_core/base/atomic_file.h"
#include "engine_core/base/mapped_file.h"

namespace strobe {
namespace {

constexpr size_t kMostHeaderBytes = 1 << 20;  // NumPy writes some hundred

struct TypeName {
    const char* descr;
    DataType type;
};
constexpr TypeName kTypes[] = {{"<f4", DataType::Float32}, {"<f8", DataType::Float64}, {"<f2", DataType::Float16}, {"|i1", DataType::Int8},   {"|u1", DataType::UInt8},
                               {"<i2", DataType::Int16},   {"<u2", DataType::UInt16},  {"<i4", DataType::Int32},   {"<u4", DataType::UInt32}, {"<i8", DataType::Int64},
                               {"<u8", DataType::UInt64},  {"|b1", DataType::Bool}};

/// Text between the quotes or brackets after a key of the header's dictionary.
std::string valueAfter(const std::string& header, const std::string& key, char open, char close) {
    const size_t at = header.find("'" + key + "'");
    if (at == std::string::npos) return {};
    const size_t begin = header.find(open, header.find(':', at));
    const size_t end = begin == std::string::npos ? begin : header.find(close, begin + 1);
    return end == std::string::npos ? std::string() : header.substr(begin + 1, end - begin - 1);
}

Result<Dims> parseShape(const std::string& text, const std::string& name) {
    Dims dims;
    const char* at = text.data();
    const char* end = at + text.size();
    while (at < end) {
        if (*at == ' ' || *at == ',') {
            ++at;
            continue;
        }
        int64_t extent = 0;
        const auto [next, error] = std::from_chars(at, end, extent);
        if (error != std::errc() || extent < 0) return invalidArgument(name + ": the array's shape '(" + text + ")' is malformed");
        dims.push_back(extent);
        at = next;
    }
    return dims;
}

Result<std::string> npyHeader(const Weights& array, const std::string& name) {
    const auto found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& t) { return t.type == array.type; });
    if (found == std::end(kTypes)) return unsupported("array '" + name + "': NumPy has no type for " + std::string(dataTypeName(array.type)));
    std::string shape;
    for (int64_t dim : array.dims) shape += std::to_string(dim) + ", ";
    std::string dictionary = std::string("{'descr': '") + found->descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    dictionary.resize((10 + dictionary.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
    dictionary += '\n';
    std::string header = std::string("\x93NUMPY\x01\x00", 8);
    header += static_cast<char>(dictionary.size() & 0xff);
    header += static_cast<char>(dictionary.size() >> 8);
    return header + dictionary;
}

/// What the header of an array says, and where its elements begin.
struct NpyHeader {
    DataType type = DataType::Undefined;
    Dims dims;
    size_t start = 0;
};

/// The bytes of one .npy in order, `total` of them. `read` gives how many of `count` it could get.
struct NpySource {
    std::string path, array;  // the array's name in an .npz, else empty
    size_t total = 0;
    std::function<size_t(void* to, size_t count)> read;
    std::string name() const { return array.empty() ? path : path + ": array '" + array + "'"; }  // in messages
};

Result<NpyHeader> readHeader(const NpySource& source) {
    const std::string name = source.name();
    uint8_t start[12];
    if (source.total < sizeof start || source.read(start, 10) != 10 || std::memcmp(start, "\x93NUMPY", 6) != 0)
        return invalidArgument(name + ": is not a NumPy array; save it with numpy.save or numpy.savez");
    const size_t lengthBytes = start[6] >= 2 ? 4 : 2;
    const bool isWhole = source.read(start + 10, lengthBytes - 2) == lengthBytes - 2;
    NpyHeader found;
    size_t textBytes = 0;
    for (size_t i = 0; i < lengthBytes; ++i) textBytes |= static_cast<size_t>(start[8 + i]) << (8 * i);
    found.start = 8 + lengthBytes + textBytes;
    if (!isWhole || found.start > source.total) return invalidArgument(name + ": the array is truncated");
    if (textBytes > kMostHeaderBytes)
        return invalidArgument(name + ": the array's header claims " + std::to_string(textBytes) + " bytes, " +
                               std::to_string(kMostHeaderBytes) + " are allowed; save it with numpy.save");
    std::string header(textBytes, '\0');
    if (source.read(header.data(), textBytes) != textBytes) return invalidArgument(name + ": the array is truncated");
    std::string descr = valueAfter(header, "descr", '\'', '\'');
    if (!descr.empty() && descr[0] == '=') descr[0] = '<';
    const auto isIt = [&](const TypeName& t) { return descr == t.descr; };
    const auto type = std::find_if(std::begin(kTypes), std::end(kTypes), isIt);
    if (type == std::end(kTypes))
        return unsupported(name + ": the array has type '" + descr +
                           "'; float, integer and bool arrays (little endian) are allowed");
    if (header.find("'fortran_order': True") != std::string::npos)
        return unsupported(name + ": the array is in Fortran order; save numpy.ascontiguousarray of it");
    found.type = type->type;
    STROBE_ASSIGN(found.dims, parseShape(valueAfter(header, "shape", '(', ')'), name));
    const size_t needed = dataTypeBytes(found.type, elementCount(found.dims)), there = source.total - found.start;
    if (there >= needed) return found;
    return invalidArgument(name + ": the array " + toString(found.dims) + " needs " + std::to_string(needed) +
                           " bytes, " + std::to_string(there) + " are there");
}

/// The elements, which follow the header.
Result<WeightsPtr> readElements(const NpySource& source, NpyHeader header) {
    const std::string array = source.name() + ": the array " + toString(header.dims);
    const size_t needed = dataTypeBytes(header.type, elementCount(header.dims));
    const auto allocated = tryAllocateWeights(header.type, std::move(header.dims));
    if (!allocated)
        return Status(ErrorCode::OutOfMemory, array + " takes " + std::to_string(needed) +
                                                  " bytes, which cannot be had; give fewer or smaller samples");
    const auto& [weights, data] = *allocated;
    if (source.read(data, needed) != needed) return invalidArgument(source.name() + " is damaged");
    return weights;
}

/// The array, or null where it is not wanted: then only its header was read.
Result<WeightsPtr> readArray(const NpySource& source, const ArrayFilter& wanted) {
    STROBE_ASSIGN(NpyHeader header, readHeader(source));
    if (wanted) {
        const auto isWanted = wanted(source.array, header.dims);
        if (!isWanted) return isWanted.status().withContext(source.path);
        if (!*isWanted) return WeightsPtr();
    }
    return readElements(source, std::move(header));
}

Result<WeightsPtr> readArray(std::span<const uint8_t> bytes, const std::string& path, const ArrayFilter& wanted) {
    size_t at = 0;
    const auto read = [&](void* to, size_t count) {
        count = std::min(count, bytes.size() - at);
        if (count > 0) std::memcpy(to, bytes.data() + at, count);
        at += count;
        return count;
    };
    return readArray(NpySource{path, "", bytes.size(), read}, wanted);
}

struct ZipCloser {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

size_t readEntry(zip_file_t* entry, void* to, size_t count) {
    size_t got = 0;
    while (got < count) {
        const zip_int64_t n = zip_fread(entry, static_cast<char*>(to) + got, count - got);
        if (n <= 0) break;
        got += static_cast<size_t>(n);
    }
    return got;
}

Result<WeightsPtr> readArray(zip_t& archive, zip_uint64_t index, const std::string& path, const std::string& name,
                             size_t bytes, const ArrayFilter& wanted) {
    const std::unique_ptr<zip_file_t, ZipCloser> entry(zip_fopen_index(&archive, index, 0));
    if (!entry) return invalidArgument(path + ": array '" + name + "' is damaged");
    const NpySource source{path, name, bytes,
                           [&](void* to, size_t count) { return readEntry(entry.get(), to, count); }};
    STROBE_ASSIGN(WeightsPtr array, readArray(source, wanted));
    if (!array) return array;
    // Only at its end does libzip compare the entry's checksum.
    char rest[256];
    zip_int64_t more = 0;
    do more = zip_fread(entry.get(), rest, sizeof rest);
    while (more > 0);
    if (more < 0) return invalidArgument(source.name() + " is damaged");
    return array;
}

}  // namespace

Result<WeightsPtr> parseNpy(std::span<const uint8_t> bytes, const std::string& name) {
    return readArray(bytes, name, {});
}

Result<WeightsPtr> readNpy(const std::string& path, const ArrayFilter& wanted) {
    // Mapped whatever the size: the elements are copied once, or not touched at all.
    STROBE_ASSIGN(const std::shared_ptr<const MappedFile> file, MappedFile::open(path, 0));
    STROBE_ASSIGN(WeightsPtr array, readArray(file->bytes(), path, wanted));
    STROBE_RETURN_IF_ERROR(file->checkUnchanged());
    return array;
}

Result<std::map<std::string, WeightsPtr>> readNpz(const std::string& path, const ArrayFilter& wanted) {
    STROBE_ASSIGN(std::shared_ptr<const MappedFile> file, MappedFile::read(path));
    // libzip takes no bytes at all for an archive without entries.
    if (file->bytes().empty()) return invalidArgument(path + ": the file is empty; save it with numpy.savez");
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(file->bytes().data(), file->bytes().size(), 0, &error);
    std::unique_ptr<zip_t, ZipCloser> archive(source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr);
    if (!archive) {
        if (source) zip_source_free(source);
        return invalidArgument(path + ": is not an .npz archive (" + zip_error_strerror(&error) + "); save it with numpy.savez");
    }
    std::map<std::string, WeightsPtr> arrays;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
        zip_stat_t stat;
        if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(i), 0, &stat) != 0) return invalidArgument(path + ": entry " + std::to_string(i) + " cannot be read");
        std::string name = stat.name;
        if (name.size() > 4 && name.compare(name.size() - 4, 4, ".npy") == 0) name.resize(name.size() - 4);
        // A tiny archive must not unpack into all memory there is.
        if (stat.size > (uint64_t{1} << 36) || stat.size > 2048 * (stat.comp_size + 1024)) return invalidArgument(path + ": array '" + name + "' claims " + std::to_string(stat.size) + " bytes; refused");
        STROBE_ASSIGN(WeightsPtr array,
                      readArray(*archive, static_cast<zip_uint64_t>(i), path, name, stat.size, wanted));
        if (array) arrays[name] = std::move(array);
    }
    return arrays;
}

Status writeNpz(const std::string& path, const std::map<std::string, WeightsPtr>& arrays) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
    if (!target) return ioError(path + ": " + zip_error_strerror(&error));
    zip_source_keep(target);
    std::unique_ptr<zip_t, ZipCloser> archive(zip_open_from_source(target, ZIP_TRUNCATE, &error));
    const std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> keep(target, zip_source_free);
    if (!archive) return ioError(path + ": " + zip_error_strerror(&error));
    std::vector<std::string> contents;
    contents.reserve(arrays.size());
    for (const auto& [name, array] : arrays) {
        STROBE_ASSIGN(std::string bytes, npyHeader(*array, name));
        bytes.append(static_cast<const char*>(array->data.get()), array->bytes);
        contents.push_back(std::move(bytes));
        zip_source_t* entry = zip_source_buffer(archive.get(), contents.back().data(), contents.back().size(), 0);
        const zip_int64_t index = entry ? zip_file_add(archive.get(), (name + ".npy").c_str(), entry, ZIP_FL_OVERWRITE | ZIP_FL_ENC_UTF_8) : -1;
        if (index < 0) return ioError(path + ": array '" + name + "' cannot be written");
        zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    }
    zip_t* closing = archive.release();
    if (zip_close(closing) != 0) {
        const std::string reason = zip_strerror(closing);
        zip_discard(closing);
        return ioError(path + ": " + reason);
    }
    if (zip_source_open(target) != 0) return ioError(path + ": the archive cannot be read back");
    zip_stat_t stat;
    zip_source_stat(target, &stat);
    std::vector<uint8_t> bytes(stat.size);
    const zip_int64_t read = zip_source_read(target, bytes.data(), bytes.size());
    zip_source_close(target);
    if (read != static_cast<zip_int64_t>(bytes.size())) return ioError(path + ": the archive cannot be read back");
    return writeFileAtomically(path, bytes);
}

}  // namespace strobe
