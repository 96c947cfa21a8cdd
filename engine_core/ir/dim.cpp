#include "engine_core/ir/dim.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

namespace strobe {

enum class AtomKind : uint8_t {
    Symbol,
    FloorDiv,
    Max,
    Min,
    Broadcast,
    Product,  // too large to be multiplied out
};

/// A factor that the polynomial does not look into.
struct DimAtom {
    AtomKind kind;
    std::string name;  // Symbol
    Dim a, b;          // the operands of the others
    std::string text;  // canonical; atoms are equal when their texts are
};

using AtomPtr = std::shared_ptr<const DimAtom>;

/// Product of atoms in text order; the empty product is 1.
struct Monomial {
    std::vector<AtomPtr> factors;
    bool operator<(const Monomial& other) const {
        return std::lexicographical_compare(factors.begin(), factors.end(), other.factors.begin(), other.factors.end(),
                                            [](const AtomPtr& x, const AtomPtr& y) { return x->text < y->text; });
    }
};

/// Sum of coefficient × monomial, no zero coefficients, never a lone constant.
class DimExpr {
public:
    using Terms = std::map<Monomial, int64_t>;
    explicit DimExpr(Terms terms) : m_terms(std::move(terms)), m_text(print()) {}
    const Terms& terms() const { return m_terms; }
    const std::string& text() const { return m_text; }

    static Terms termsOf(const Dim& dim) {
        if (dim.m_expr) return dim.m_expr->m_terms;
        Terms terms;
        if (dim.m_constant != 0) terms[Monomial{}] = dim.m_constant;
        return terms;
    }
    static Dim make(Terms terms) {
        for (auto it = terms.begin(); it != terms.end();) it = it->second == 0 ? terms.erase(it) : std::next(it);
        if (terms.empty()) return Dim(0);
        if (terms.size() == 1 && terms.begin()->first.factors.empty()) return Dim(terms.begin()->second);
        return Dim(std::make_shared<const DimExpr>(std::move(terms)));
    }
    static Dim atom(DimAtom value) {
        Terms terms;
        terms[Monomial{{std::make_shared<const DimAtom>(std::move(value))}}] = 1;
        return make(std::move(terms));
    }
    static const DimExpr* of(const Dim& dim) { return dim.m_expr.get(); }

private:
    std::string print() const {
        std::string text;
        // Constant last reads as people write it: N*2+1.
        auto append = [&](const Monomial& monomial, int64_t coefficient) {
            if (!text.empty() && coefficient >= 0) text += '+';
            if (monomial.factors.empty()) {
                text += std::to_string(coefficient);
                return;
            }
            if (coefficient == -1)
                text += '-';
            else if (coefficient != 1)
                text += std::to_string(coefficient) + "*";
            for (size_t i = 0; i < monomial.factors.size(); ++i) text += (i ? "*" : "") + monomial.factors[i]->text;
        };
        for (const auto& [monomial, coefficient] : m_terms)
            if (!monomial.factors.empty()) append(monomial, coefficient);
        if (auto constant = m_terms.find(Monomial{}); constant != m_terms.end()) append(constant->first, constant->second);
        return text;
    }

    Terms m_terms;
    std::string m_text;
};

namespace {

/// A product of more terms is kept as a product: a file can ask for the square of the square of the square … of an
/// extent.
constexpr size_t kMaxTerms = 256;

std::optional<int64_t> checkedMul(int64_t a, int64_t b) {
    int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
    return result;
}
std::optional<int64_t> checkedAdd(int64_t a, int64_t b) {
    int64_t result = 0;
    if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
    return result;
}
/// Arithmetic on constants saturates: an overflowed extent is caught as absurd by whoever allocates it.
int64_t saturated(std::optional<int64_t> value, bool negative) {
    return value ? *value : negative ? std::numeric_limits<int64_t>::min() / 4 : std::numeric_limits<int64_t>::max() / 4;
}
/// Requires b ≠ 0.
int64_t floorDivide(int64_t a, int64_t b) {
    if (b == -1) return saturated(checkedMul(a, -1), false);
    int64_t quotient = a / b;
    return (a % b != 0 && ((a < 0) != (b < 0))) ? quotient - 1 : quotient;
}
Monomial multiply(const Monomial& a, const Monomial& b) {
    Monomial product = a;
    product.factors.insert(product.factors.end(), b.factors.begin(), b.factors.end());
    std::sort(product.factors.begin(), product.factors.end(),
              [](const AtomPtr& x, const AtomPtr& y) { return x->text < y->text; });
    return product;
}
/// monomial / divisor when every factor of divisor occurs in it.
std::optional<Monomial> divide(const Monomial& monomial, const Monomial& divisor) {
    Monomial rest = monomial;
    for (const AtomPtr& factor : divisor.factors) {
        auto found = std::find_if(rest.factors.begin(), rest.factors.end(), [&](const AtomPtr& x) { return x->text == factor->text; });
        if (found == rest.factors.end()) return std::nullopt;
        rest.factors.erase(found);
    }
    return rest;
}
/// Exact polynomial division (leading-term method); nullopt when a remainder is left.
std::optional<Dim> divideExactly(const Dim& a, const Dim& b) {
    DimExpr::Terms remainder = DimExpr::termsOf(a);
    const DimExpr::Terms divisor = DimExpr::termsOf(b);
    if (divisor.empty()) return std::nullopt;
    const auto& [leadMonomial, leadCoefficient] = *divisor.rbegin();
    DimExpr::Terms quotient;
    for (int guard = 0; !remainder.empty() && guard < 64; ++guard) {
        const auto [monomial, coefficient] = *remainder.rbegin();
        const auto rest = divide(monomial, leadMonomial);
        // The least integer has no negative.
        if (!rest || coefficient == std::numeric_limits<int64_t>::min() || coefficient % leadCoefficient != 0)
            return std::nullopt;
        const int64_t factor = coefficient / leadCoefficient;
        quotient[*rest] += factor;
        for (const auto& [divisorMonomial, divisorCoefficient] : divisor) {
            const Monomial product = multiply(divisorMonomial, *rest);
            int64_t& slot = remainder[product];
            const auto taken = checkedMul(divisorCoefficient, factor);
            const auto left =
                taken && *taken != std::numeric_limits<int64_t>::min() ? checkedAdd(slot, -*taken) : std::nullopt;
            if (!left) return std::nullopt;
            slot = *left;
            if (slot == 0) remainder.erase(product);
        }
    }
    if (!remainder.empty()) return std::nullopt;
    return DimExpr::make(std::move(quotient));
}

Dim binaryAtom(AtomKind kind, const char* function, const Dim& a, const Dim& b) {
    return DimExpr::atom({kind, {}, a, b, std::string(function) + "(" + a.toString() + "," + b.toString() + ")"});
}

/// With the terms that `divisor` (> 0) divides exactly taken out: quotient part and the rest.
std::pair<Dim, Dim> splitDivisible(const Dim& a, int64_t divisor) {
    DimExpr::Terms whole, rest;
    for (const auto& [monomial, coefficient] : DimExpr::termsOf(a)) {
        if (monomial.factors.empty()) {
            whole[monomial] = floorDivide(coefficient, divisor);
            const int64_t remainder = coefficient % divisor;
            rest[monomial] = remainder < 0 ? remainder + divisor : remainder;
        } else if (coefficient % divisor == 0) {
            whole[monomial] = coefficient / divisor;
        } else {
            rest[monomial] = coefficient;
        }
    }
    return {DimExpr::make(std::move(whole)), DimExpr::make(std::move(rest))};
}

}  // namespace

Dim Dim::symbol(std::string name) {
    DimAtom atom{AtomKind::Symbol, name, {}, {}, name};
    return DimExpr::atom(std::move(atom));
}

std::optional<std::string> Dim::symbolName() const {
    if (!m_expr || m_expr->terms().size() != 1) return std::nullopt;
    const auto& [monomial, coefficient] = *m_expr->terms().begin();
    if (coefficient != 1 || monomial.factors.size() != 1 || monomial.factors[0]->kind != AtomKind::Symbol) return std::nullopt;
    return monomial.factors[0]->name;
}

void Dim::collectSymbols(std::set<std::string>& into) const {
    if (!m_expr) return;
    for (const auto& term : m_expr->terms())
        for (const AtomPtr& atom : term.first.factors) {
            if (atom->kind == AtomKind::Symbol) into.insert(atom->name);
            atom->a.collectSymbols(into);
            atom->b.collectSymbols(into);
        }
}

namespace {

std::optional<int64_t> evaluateAtom(const DimAtom& atom, const SymbolValues& values) {
    if (atom.kind == AtomKind::Symbol) {
        auto found = values.find(atom.name);
        return found == values.end() ? std::nullopt : std::optional<int64_t>(found->second);
    }
    const auto a = atom.a.evaluate(values), b = atom.b.evaluate(values);
    if (!a || !b) return std::nullopt;
    switch (atom.kind) {
        case AtomKind::FloorDiv: return *b == 0 ? std::nullopt : std::optional<int64_t>(floorDivide(*a, *b));
        case AtomKind::Max: return std::max(*a, *b);
        case AtomKind::Min: return std::min(*a, *b);
        case AtomKind::Broadcast:
            return *a == 1 ? *b : *b == 1 ? *a : std::max(*a, *b);  // the two limits of a profile need not fit
        case AtomKind::Product:
            return checkedMul(*a, *b);
        case AtomKind::Symbol: break;
    }
    return std::nullopt;
}

}  // namespace

std::optional<int64_t> Dim::evaluate(const SymbolValues& values) const {
    if (!m_expr) return m_constant;
    int64_t sum = 0;
    for (const auto& [monomial, coefficient] : m_expr->terms()) {
        int64_t product = coefficient;
        for (const AtomPtr& atom : monomial.factors) {
            const auto factor = evaluateAtom(*atom, values);
            if (!factor) return std::nullopt;
            const auto next = checkedMul(product, *factor);
            if (!next) return std::nullopt;
            product = *next;
        }
        const auto next = checkedAdd(sum, product);
        if (!next) return std::nullopt;
        sum = *next;
    }
    return sum;
}

namespace {

std::optional<int64_t> lowerBoundOf(const Dim& dim, int depth);

std::optional<int64_t> lowerBoundOf(const DimAtom& atom, int depth) {
    if (atom.kind == AtomKind::Symbol) return 0;
    const auto a = lowerBoundOf(atom.a, depth), b = lowerBoundOf(atom.b, depth);
    switch (atom.kind) {
        case AtomKind::FloorDiv:
            if (a && atom.b.isConstant() && atom.b.constant() > 0) return floorDivide(*a, atom.b.constant());
            return a && b && *a >= 0 && *b >= 0 ? std::optional<int64_t>(0) : std::nullopt;
        case AtomKind::Max: return a && b ? std::max(*a, *b) : a ? a : b;
        case AtomKind::Min:
        case AtomKind::Broadcast: return a && b ? std::optional<int64_t>(std::min(*a, *b)) : std::nullopt;
        case AtomKind::Product:
            return a && b && *a >= 0 && *b >= 0 ? std::optional(saturated(checkedMul(*a, *b), false)) : std::nullopt;
        case AtomKind::Symbol: break;
    }
    return std::nullopt;
}

/// A negative multiple of floor(a/c) or min(a, b) is bounded by the same multiple of a (a ≥ 0, c ≥ 1), or of b.
std::vector<Dim> upperBoundsOf(const DimAtom& atom, int depth) {
    if (atom.kind == AtomKind::Min) return {atom.a, atom.b};
    const auto a = lowerBoundOf(atom.a, depth);
    if (atom.kind == AtomKind::FloorDiv && a && *a >= 0 && atom.b.isConstant() && atom.b.constant() > 0) return {atom.a};
    return {};
}

std::optional<int64_t> lowerBoundOf(const Dim& dim, int depth) {
    if (dim.isConstant()) return dim.constant();
    if (depth > 8) return std::nullopt;
    int64_t bound = 0;
    for (const auto& [monomial, coefficient] : DimExpr::of(dim)->terms()) {
        if (coefficient < 0 && monomial.factors.size() == 1) {
            const DimAtom& atom = *monomial.factors[0];
            const Dim rest = dim - DimExpr::make({{monomial, coefficient}});
            for (const Dim& upper : upperBoundsOf(atom, depth + 1))
                if (const auto found = lowerBoundOf(rest + upper * Dim(coefficient), depth + 1)) return found;
        }
        if (coefficient < 0 && !monomial.factors.empty()) return std::nullopt;
        int64_t term = coefficient;
        for (const AtomPtr& atom : monomial.factors) {
            const auto factor = lowerBoundOf(*atom, depth + 1);
            if (!factor || *factor < 0) return std::nullopt;
            term = saturated(checkedMul(term, *factor), false);
        }
        bound = saturated(checkedAdd(bound, term), term < 0);
    }
    return bound;
}

}  // namespace

std::optional<int64_t> Dim::lowerBound() const { return lowerBoundOf(*this, 0); }

Dim Dim::substitute(const std::map<std::string, Dim>& values) const {
    if (!m_expr) return *this;
    Dim sum(0);
    for (const auto& [monomial, coefficient] : m_expr->terms()) {
        Dim product(coefficient);
        for (const AtomPtr& atom : monomial.factors) {
            Dim factor;
            switch (atom->kind) {
                case AtomKind::Symbol: {
                    auto found = values.find(atom->name);
                    factor = found == values.end() ? Dim::symbol(atom->name) : found->second;
                    break;
                }
                case AtomKind::FloorDiv: factor = floorDiv(atom->a.substitute(values), atom->b.substitute(values)); break;
                case AtomKind::Max: factor = max(atom->a.substitute(values), atom->b.substitute(values)); break;
                case AtomKind::Min: factor = min(atom->a.substitute(values), atom->b.substitute(values)); break;
                case AtomKind::Broadcast: factor = broadcast(atom->a.substitute(values), atom->b.substitute(values)); break;
                case AtomKind::Product:
                    factor = atom->a.substitute(values) * atom->b.substitute(values);
                    break;
            }
            product = product * factor;
        }
        sum = sum + product;
    }
    return sum;
}

std::string Dim::toString() const { return m_expr ? m_expr->text() : std::to_string(m_constant); }

Dim operator+(const Dim& a, const Dim& b) {
    if (!a.m_expr && !b.m_expr) return Dim(saturated(checkedAdd(a.m_constant, b.m_constant), a.m_constant < 0));
    DimExpr::Terms terms = DimExpr::termsOf(a);
    for (const auto& [monomial, coefficient] : DimExpr::termsOf(b)) {
        int64_t& slot = terms[monomial];
        slot = saturated(checkedAdd(slot, coefficient), slot < 0);
    }
    return DimExpr::make(std::move(terms));
}

Dim operator-(const Dim& a, const Dim& b) { return a + b * Dim(-1); }

Dim operator*(const Dim& a, const Dim& b) {
    if (!a.m_expr && !b.m_expr)
        return Dim(saturated(checkedMul(a.m_constant, b.m_constant), (a.m_constant < 0) != (b.m_constant < 0)));
    const DimExpr::Terms left = DimExpr::termsOf(a), right = DimExpr::termsOf(b);
    if (left.size() * right.size() > kMaxTerms && left.size() > 1 && right.size() > 1)
        return a.toString() < b.toString() ? binaryAtom(AtomKind::Product, "mul", a, b)
                                           : binaryAtom(AtomKind::Product, "mul", b, a);
    DimExpr::Terms product;
    for (const auto& [ma, ca] : left)
        for (const auto& [mb, cb] : right) {
            int64_t& slot = product[multiply(ma, mb)];
            slot = saturated(checkedAdd(slot, saturated(checkedMul(ca, cb), (ca < 0) != (cb < 0))), slot < 0);
        }
    return DimExpr::make(std::move(product));
}

bool operator==(const Dim& a, const Dim& b) {
    if (!a.m_expr || !b.m_expr) return !a.m_expr && !b.m_expr && a.m_constant == b.m_constant;
    return a.m_expr == b.m_expr || a.m_expr->text() == b.m_expr->text();
}

Dim Dim::floorDiv(const Dim& a, const Dim& b) {
    if (b.isConstant(1)) return a;
    if (!a.m_expr && !b.m_expr && b.m_constant != 0) return Dim(floorDivide(a.m_constant, b.m_constant));
    if (a == b) return Dim(1);
    if (auto exact = divideExactly(a, b)) return *exact;
    if (b.isConstant() && b.m_constant > 0) {
        auto [whole, rest] = splitDivisible(a, b.m_constant);
        if (rest.isConstant()) return whole + Dim(floorDivide(rest.constant(), b.m_constant));
        // floor(floor(x/p)/q) = floor(x/(p·q)) for positive p, q.
        if (const DimExpr* expr = DimExpr::of(rest); expr && expr->terms().size() == 1) {
            const auto& [monomial, coefficient] = *expr->terms().begin();
            if (coefficient == 1 && monomial.factors.size() == 1) {
                const DimAtom& atom = *monomial.factors[0];
                if (atom.kind == AtomKind::FloorDiv && atom.b.isConstant() && atom.b.constant() > 0)
                    return whole + floorDiv(atom.a, atom.b * b);
            }
        }
        return whole + binaryAtom(AtomKind::FloorDiv, "floordiv", rest, b);
    }
    return binaryAtom(AtomKind::FloorDiv, "floordiv", a, b);
}

Dim Dim::ceilDiv(const Dim& a, const Dim& b) { return floorDiv(a + b - Dim(1), b); }
Dim Dim::mod(const Dim& a, const Dim& b) { return a - floorDiv(a, b) * b; }

namespace {

/// What a chain of maxima (or minima, or broadcasts) ranges over; a Dim of another form is a chain of one.
void collectOperands(AtomKind kind, const Dim& dim, std::vector<Dim>& into) {
    const DimExpr* expr = DimExpr::of(dim);
    if (expr && expr->terms().size() == 1) {
        const auto& [monomial, coefficient] = *expr->terms().begin();
        if (coefficient == 1 && monomial.factors.size() == 1 && monomial.factors[0]->kind == kind) {
            collectOperands(kind, monomial.factors[0]->a, into);
            collectOperands(kind, monomial.factors[0]->b, into);
            return;
        }
    }
    into.push_back(dim);
}

/// kind(a, kind(b, …)) over the operands in text order.
Dim chainOf(AtomKind kind, const char* function, std::vector<Dim> operands) {
    std::sort(operands.begin(), operands.end(), [](const Dim& x, const Dim& y) { return x.toString() < y.toString(); });
    Dim result = operands.back();
    for (size_t i = operands.size() - 1; i-- > 0;) result = binaryAtom(kind, function, operands[i], result);
    return result;
}

/// The greatest (or least) of both, each operand named once: max(max(a,b),a) is max(a,b).
Dim extremum(AtomKind kind, const Dim& a, const Dim& b) {
    std::vector<Dim> operands, kept;
    collectOperands(kind, a, operands);
    collectOperands(kind, b, operands);
    for (const Dim& operand : operands) {
        const auto decided =
            std::find_if(kept.begin(), kept.end(), [&](const Dim& other) { return (operand - other).isConstant(); });
        if (decided == kept.end())
            kept.push_back(operand);
        else if (const int64_t more = (operand - *decided).constant(); kind == AtomKind::Max ? more > 0 : more < 0)
            *decided = operand;
    }
    return chainOf(kind, kind == AtomKind::Max ? "max" : "min", std::move(kept));
}

}  // namespace

Dim Dim::max(const Dim& a, const Dim& b) {
    return a.isConstant() && b.isConstant() ? Dim(std::max(a.constant(), b.constant())) : extremum(AtomKind::Max, a, b);
}

Dim Dim::min(const Dim& a, const Dim& b) {
    return a.isConstant() && b.isConstant() ? Dim(std::min(a.constant(), b.constant())) : extremum(AtomKind::Min, a, b);
}

Dim Dim::broadcast(const Dim& a, const Dim& b) {
    if (a.isConstant() || b.isConstant()) return b.isConstant(1) || (a.isConstant() && !a.isConstant(1)) ? a : b;
    std::vector<Dim> operands, kept;
    collectOperands(AtomKind::Broadcast, a, operands);
    collectOperands(AtomKind::Broadcast, b, operands);
    for (const Dim& operand : operands)
        if (std::find(kept.begin(), kept.end(), operand) == kept.end()) kept.push_back(operand);
    return chainOf(AtomKind::Broadcast, "broadcast", std::move(kept));
}

namespace {

/// Recursive descent over the form that toString() writes.
class DimParser {
public:
    explicit DimParser(std::string_view text) : m_text(text) {}
    Result<Dim> parse() {
        auto dim = sum(0);
        if (dim && m_position != m_text.size()) return fail();
        return dim;
    }

private:
    Status fail() const {
        return invalidArgument("dimension '" + std::string(m_text) + "': unexpected text at position " + std::to_string(m_position));
    }
    bool take(char c) {
        if (m_position >= m_text.size() || m_text[m_position] != c) return false;
        ++m_position;
        return true;
    }
    Result<Dim> sum(int depth) {
        if (depth > 256) return fail();
        Dim total(0);
        bool negative = take('-');
        do {
            STROBE_ASSIGN(Dim term, product(depth));
            total = negative ? total - term : total + term;
            if (take('+'))
                negative = false;
            else if (take('-'))
                negative = true;
            else
                return total;
        } while (true);
    }
    Result<Dim> product(int depth) {
        STROBE_ASSIGN(Dim total, factor(depth));
        while (take('*')) {
            STROBE_ASSIGN(Dim next, factor(depth));
            total = total * next;
        }
        return total;
    }
    Result<Dim> factor(int depth) {
        const size_t start = m_position;
        while (m_position < m_text.size() && isWord(m_text[m_position])) ++m_position;
        const std::string word(m_text.substr(start, m_position - start));
        if (word.empty()) return fail();
        if (std::isdigit(static_cast<unsigned char>(word[0]))) {
            int64_t value = 0;
            const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
            if (error != std::errc() || end != word.data() + word.size()) return fail();
            return Dim(value);
        }
        if (!take('(')) return Dim::symbol(word);
        STROBE_ASSIGN(Dim a, sum(depth + 1));
        if (!take(',')) return fail();
        STROBE_ASSIGN(Dim b, sum(depth + 1));
        if (!take(')')) return fail();
        if (word == "floordiv") return Dim::floorDiv(a, b);
        if (word == "max") return Dim::max(a, b);
        if (word == "min") return Dim::min(a, b);
        if (word == "broadcast") return Dim::broadcast(a, b);
        if (word == "mul") return a * b;
        return fail();
    }
    static bool isWord(char c) { return c != '+' && c != '-' && c != '*' && c != '(' && c != ')' && c != ','; }

    std::string_view m_text;
    size_t m_position = 0;
};

}  // namespace

Result<Dim> Dim::parse(std::string_view text) { return DimParser(text).parse(); }

std::string toString(const Shape& shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + shape[i].toString();
    return text + "]";
}
std::string toString(const Dims& dims) { return toString(toShape(dims)); }

Dim elementCount(const Shape& shape) {
    Dim count(1);
    for (const Dim& dim : shape) count = count * dim;
    return count;
}
int64_t elementCount(const Dims& dims) {
    int64_t count = 1;
    for (int64_t dim : dims) count = saturated(checkedMul(count, dim), false);
    return count;
}
bool isConstant(const Shape& shape) {
    return std::all_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.isConstant(); });
}
Dims toDims(const Shape& shape) {
    Dims dims(shape.size());
    std::transform(shape.begin(), shape.end(), dims.begin(), [](const Dim& dim) { return dim.constant(); });
    return dims;
}
Shape toShape(const Dims& dims) { return {dims.begin(), dims.end()}; }

std::optional<Dims> evaluate(const Shape& shape, const SymbolValues& values) {
    Dims dims;
    for (const Dim& dim : shape) {
        const auto value = dim.evaluate(values);
        if (!value || *value < 0) return std::nullopt;
        dims.push_back(*value);
    }
    return dims;
}

}  // namespace strobe
