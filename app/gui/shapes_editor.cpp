#include "app/gui/shapes_editor.h"

#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "views/models/background.h"
#include "views/models/display_text.h"
#include "views/models/run_shapes.h"
#include "views/models/settings_text.h"
#include "views/models/workbench_context.h"
#include "views/widgets/theme.h"

namespace strobe {

ShapesEditor::ShapesEditor(WorkbenchContext& context, QWidget* parent)
    : QFrame(parent, Qt::Popup), m_context(context), m_rows(new QGridLayout), m_error(new QLabel(this)) {
    setObjectName("shapesEditor");
    setFrameShape(StyledPanel);
    auto* layout = new QVBoxLayout(this);
    auto* heading = new QLabel(tr("Shapes to build and profile at"));
    heading->setFont(Theme::systemFont(0, true));
    layout->addWidget(heading);
    layout->addLayout(m_rows);
    m_error->setWordWrap(true);
    m_error->setForegroundRole(QPalette::BrightText);
    m_error->hide();
    layout->addWidget(m_error);
    auto* done = new QPushButton(tr("Use these shapes"));
    done->setProperty("primary", true);
    done->setObjectName("applyShapes");
    layout->addWidget(done, 0, Qt::AlignRight);
    connect(done, &QPushButton::clicked, this, &ShapesEditor::apply);
}

void ShapesEditor::fill() {
    while (QLayoutItem* item = m_rows->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    m_fields.clear();
    m_error->hide();
    const auto model = m_context.model();
    if (!model) return;
    const Network& network = *model->parsed;
    int row = 0;
    for (const auto& [name, dims] : effectiveShapes(*model, m_context.session().settings())) {
        const TensorId id = network.findTensor(name);
        if (id == kNone) continue;
        const Tensor& tensor = network.tensor(id);
        auto* label = new QLabel(toQString(name));
        label->setFont(Theme::monoFont());
        auto* field = new QLineEdit(shapeText(dims));
        field->setFont(Theme::monoFont());
        field->setMinimumWidth(200);
        field->setEnabled(!tensor.rankKnown || !isConstant(tensor.shape));
        auto* symbolic = new QLabel(tensorShapeText(tensor));
        symbolic->setForegroundRole(QPalette::PlaceholderText);
        connect(field, &QLineEdit::returnPressed, this, &ShapesEditor::apply);
        m_rows->addWidget(label, row, 0);
        m_rows->addWidget(field, row, 1);
        m_rows->addWidget(symbolic, row++, 2);
        if (field->isEnabled()) m_fields[name] = field;
    }
}

void ShapesEditor::openAt(const QPoint& at) {
    fill();
    adjustSize();
    move(at);
    show();
    if (!m_fields.empty()) m_fields.begin()->second->setFocus();
}

void ShapesEditor::findRemedy(const std::map<std::string, Dims>& shapes) {
    const QString said = m_error->text();
    const auto find = [model = m_context.model(), settings = m_context.session().settings(), shapes] {
        return shapesRefusal(*model, settings, shapes);
    };
    runInBackground(this, find, [this, said](const std::string& whole) {
        if (whole.empty() || m_error->text() != said) return;
        m_error->setText(toQString(whole));
        adjustSize();
    });
}

void ShapesEditor::apply() {
    const auto model = m_context.model();
    if (!model) return;
    std::map<std::string, Dims> shapes;
    Status status;
    for (const auto& [name, field] : m_fields) {
        const Result<Dims> dims = parseDims(field->text());
        if (!dims && status.isOk()) status = dims.status();
        if (dims) shapes[name] = *dims;
    }
    Session& session = m_context.session();
    auto settings = status.isOk() ? withShapes(*model, session.settings(), shapes) : Result<Settings>(status);
    status = settings.status();
    m_error->setText(toQString(status.message()));
    m_error->setVisible(!status.isOk());
    adjustSize();
    if (!status.isOk()) return findRemedy(shapes);
    const std::string label = shapesLabel(session.settings(), *settings);
    session.setSettings(std::move(*settings), label);
    close();
}

}  // namespace strobe
