-- Jobs may ask for bfloat16.

INSERT INTO shufflenet.job_arguments (kind, name, is_name, required, about) VALUES
    ('train', 'precision', false, false, 'What products are computed in: "f32" or "bf16".'),
    ('train', 'loss_scale', false, false, 'Gradients are computed of so many times the loss.'),
    ('evaluate', 'precision', false, false, 'What is measured: "f32", or "bf16" and how far it agrees with f32.'),
    ('classify', 'precision', false, false, '"f32", or "bf16" for a model that was measured to agree with f32.');
