#include "views/pages/settings/precision_section.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <optional>

#include "views/models/display_text.h"
#include "views/models/op_colour.h"
#include "views/models/settings_text.h"
#include "views/models/target_device.h"
#include "views/models/workbench_context.h"
#include "views/pages/settings/precision_control.h"
#include "views/widgets/theme.h"

namespace strobe {
namespace {

constexpr DataType kRuleTypes[] = {DataType::Float32, DataType::BFloat16, DataType::Float16};
constexpr double kLeastLimit = 0.001, kMostLimit = 100;  // percent

/// Percent; 0 is no limit. What is typed beyond the range becomes the nearest limit, not another number or none.
class LimitBox : public QDoubleSpinBox {
public:
    using QDoubleSpinBox::QDoubleSpinBox;

    QValidator::State validate(QString& text, int& at) const override {
        return typed(text) ? QValidator::Acceptable : QDoubleSpinBox::validate(text, at);
    }
    double valueFromText(const QString& text) const override {
        const auto number = typed(text);
        if (!number) return QDoubleSpinBox::valueFromText(text);
        return *number > 0 ? std::clamp(*number, kLeastLimit, kMostLimit) : 0;
    }

private:
    std::optional<double> typed(QString text) const {
        if (text.endsWith(suffix())) text.chop(suffix().size());
        bool isNumber = false;
        const double number = locale().toDouble(text.trimmed(), &isNumber);
        return isNumber && number >= 0 ? std::optional(number) : std::nullopt;
    }
};

}  // namespace

PrecisionSection::PrecisionSection(WorkbenchContext& context, QWidget* parent)
    : SettingsSection(tr("Precision"), context, parent),
      m_mode(new PrecisionControl(this)),
      m_limit(new LimitBox(this)) {
    m_mode->setObjectName(QStringLiteral("precisionMode"));
    body().addWidget(m_mode);
    m_explanation = &addNote();
    connect(m_mode, &PrecisionControl::chosen, this, [this](PrecisionMode mode) {
        commit(tr("Precision %1").arg(toQString(precisionModeName(mode))),
               [mode](Settings& settings) { settings.builder.precision = mode; });
    });

    addLimit();

    auto* heading = new QLabel(tr("Layers that differ"), this);
    heading->setContentsMargins(0, kGrid, 0, 0);
    body().addWidget(heading);
    addNote(tr("A name with * and ?, or op:Conv. The last rule that fits a layer wins."));
    m_rowsLayout = new QVBoxLayout;
    m_rowsLayout->setSpacing(4);
    body().addLayout(m_rowsLayout);
    auto* add = new QPushButton(tr("Add rule"), this);
    add->setObjectName(QStringLiteral("addRule"));
    body().addWidget(add, 0, Qt::AlignLeft);
    heading->setBuddy(add);
    connect(add, &QPushButton::clicked, this, [this] {
        addRow({});
        m_rows.back().pattern->setFocus();
    });
}

void PrecisionSection::addLimit() {
    m_limit->setObjectName(QStringLiteral("accuracyLimit"));
    m_limit->setRange(0, kMostLimit);
    m_limit->setDecimals(3);
    m_limit->setSingleStep(1);
    m_limit->setSuffix(tr(" %"));
    m_limit->setSpecialValueText(tr("none"));
    m_limit->setKeyboardTracking(false);
    m_limit->setFixedWidth(kSpinWidth);
    m_limit->setToolTip(tr("How far any element of an output may be off, as a share of the output's range in FP32"));
    guardWheel(*m_limit);
    QFormLayout& form = addForm();
    form.addRow(tr("Accuracy limit"), m_limit);
    form.setAlignment(m_limit, Qt::AlignLeft | Qt::AlignVCenter);
    m_limitNote = &addNote();
    connect(m_limit, &QDoubleSpinBox::valueChanged, this, [this](double percent) {
        commit(percent > 0 ? tr("Accuracy limit %1 %").arg(percent) : tr("No accuracy limit"),
               [percent](Settings& settings) { settings.accuracyLimit = percent / 100; });
    });
}

std::shared_ptr<const Network> PrecisionSection::rulesNetwork() const {
    const auto build = context().currentBuild();
    if (build && build->report.fused) return build->report.fused;
    return context().model() ? context().model()->parsed : nullptr;
}

void PrecisionSection::updateCount(const RuleRow& row) const {
    const auto network = rulesNetwork();
    const QString pattern = row.pattern->text().trimmed();
    if (!network || pattern.isEmpty()) {
        row.count->setText(pattern.isEmpty() ? tr("no pattern yet") : QString());
        return;
    }
    const int count = countMatches(pattern, *network);
    row.count->setText(count == 0 ? tr("no layer") : count == 1 ? tr("1 layer") : tr("%1 layers").arg(count));
    QPalette palette;
    palette.setColor(QPalette::WindowText, count == 0 ? Theme::instance().colours().warning : Theme::instance().colours().secondary);
    row.count->setPalette(palette);
}

void PrecisionSection::addRow(const PrecisionRule& rule) {
    RuleRow row{new QWidget(this), nullptr, nullptr, nullptr};
    auto* layout = new QGridLayout(row.box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setHorizontalSpacing(6);
    layout->setVerticalSpacing(3);
    layout->setColumnStretch(1, 1);
    row.pattern = new QLineEdit(QString::fromStdString(rule.pattern), row.box);
    row.pattern->setPlaceholderText(tr("conv*, op:Softmax"));
    row.pattern->setFont(Theme::monoFont(-1));
    row.pattern->setAccessibleName(tr("Pattern of the rule"));
    row.pattern->setMinimumWidth(80);
    row.type = new QComboBox(row.box);
    row.type->setAccessibleName(tr("Precision of the rule"));
    guardWheel(*row.type);
    for (const DataType type : kRuleTypes) row.type->addItem(precisionLabel(type), static_cast<int>(type));
    row.type->setCurrentIndex(std::max(0, row.type->findData(static_cast<int>(rule.type))));
    row.count = new QLabel(row.box);
    QToolButton* remove = makeRemoveButton(tr("Remove this rule"));
    // A layer's name takes the whole width.
    layout->addWidget(row.pattern, 0, 0, 1, 2);
    layout->addWidget(remove, 0, 2);
    layout->addWidget(row.type, 1, 0);
    layout->addWidget(row.count, 1, 1, 1, 2);
    row.pattern->setCursorPosition(0);
    row.pattern->setToolTip(row.pattern->text());
    m_rowsLayout->addWidget(row.box);
    m_rows.push_back(row);
    updateCount(row);
    connect(row.pattern, &QLineEdit::textChanged, row.pattern, &QWidget::setToolTip);
    connect(row.pattern, &QLineEdit::textChanged, this, [this, row] { updateCount(row); });
    onTyped(*row.pattern, [this, row] { commitRules(tr("Precision rule %1").arg(row.pattern->text().trimmed())); });
    connect(row.type, &QComboBox::activated, this, [this, row] { commitRules(tr("Precision of %1").arg(row.pattern->text().trimmed())); });
    connect(remove, &QToolButton::clicked, this, [this, box = row.box] { removeRow(box); });
}

void PrecisionSection::removeRow(QWidget* box) {
    const auto found = std::find_if(m_rows.begin(), m_rows.end(), [box](const RuleRow& row) { return row.box == box; });
    if (found == m_rows.end()) return;
    const QString pattern = found->pattern->text().trimmed();
    m_rows.erase(found);
    box->hide();
    box->deleteLater();
    commitRules(tr("Remove precision rule %1").arg(pattern));
}

void PrecisionSection::clearRows() {
    for (const RuleRow& row : m_rows) {
        row.pattern->disconnect(this);
        row.box->hide();
        row.box->deleteLater();
    }
    m_rows.clear();
}

std::vector<PrecisionRule> PrecisionSection::rules() const {
    std::vector<PrecisionRule> all;
    for (const RuleRow& row : m_rows)
        if (const QString pattern = row.pattern->text().trimmed(); !pattern.isEmpty())
            all.push_back({pattern.toStdString(), static_cast<DataType>(row.type->currentData().toInt())});
    return all;
}

void PrecisionSection::commitRules(const QString& label) {
    std::vector<QLineEdit*> patterns;
    for (const RuleRow& row : m_rows) patterns.push_back(row.pattern);
    commit(
        label, [this](Settings& settings) { settings.builder.precisionRules = rules(); }, patterns);
}

void PrecisionSection::refresh(const Settings& settings) {
    const PrecisionMode mode = settings.builder.precision;
    const DeviceInfo device = deviceOf(context().session(), settings);
    m_mode->showChoice(mode, device);
    m_explanation->setText(precisionExplanation(mode, device));
    const QSignalBlocker silent(m_limit);
    m_limit->setValue(settings.accuracyLimit * 100);
    m_limitNote->setText(accuracyLimitExplanation(settings));
    const bool isTypingRule =
        std::any_of(m_rows.begin(), m_rows.end(), [](const RuleRow& row) { return isTyping(*row.pattern); });
    if (!isTypingRule && rules() != settings.builder.precisionRules) {
        clearRows();
        for (const PrecisionRule& rule : settings.builder.precisionRules) addRow(rule);
    }
    for (const RuleRow& row : m_rows) updateCount(row);
}

}  // namespace strobe
